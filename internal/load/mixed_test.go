package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kinds are the clients of the mixed load: so many at a time, one after the other until the time is over.
var kinds = []struct {
	name  string
	times int
	live  func(s *server) error
}{
	{"idle, then one exchange", 1000, func(s *server) error {
		return s.with(func(c *client) error {
			s.pause(2*time.Second + rand.N(4*time.Second))
			return errors.Join(c.exchange(1+rand.IntN(1000)), c.finish())
		})
	}},
	{"talk", 100, func(s *server) error {
		return s.with(func(c *client) error {
			for range rand.IntN(50) {
				if err := c.exchange(1 + rand.IntN(1<<rand.IntN(15))); err != nil {
					return err
				}
				s.pause(rand.N(200 * time.Millisecond))
			}
			return c.finish()
		})
	}},
	{"send much", 3, func(s *server) error {
		return s.with(func(c *client) error {
			sent := make(chan error, 1)
			n := 1 + rand.IntN(8<<20)
			go func() { sent <- errors.Join(c.send(n), c.CloseWrite()) }()
			err := errors.Join(c.receive(-1), <-sent)
			if err == nil && c.got != c.sent {
				err = fmt.Errorf("%d bytes sent, %d came back", c.sent, c.got)
			}
			s.pause(2 * time.Second)
			return err
		})
	}},
	{"do not read", 20, func(s *server) error {
		return s.with(func(c *client) error {
			if err := c.fill(500 * time.Millisecond); err != nil {
				return err
			}
			s.pause(rand.N(6 * time.Second))
			if rand.IntN(3) == 0 {
				c.reset()
				return nil
			}
			return errors.Join(c.drain(), c.finish())
		})
	}},
	{"half-close and stay", 50, func(s *server) error {
		return s.with(func(c *client) error {
			if err := errors.Join(c.send(rand.IntN(100<<10)), c.CloseWrite()); err != nil {
				return err
			}
			s.pause(rand.N(6 * time.Second))
			if err := c.receive(-1); err != nil || c.got != c.sent {
				return fmt.Errorf("%d bytes sent, %d came back, %v", c.sent, c.got, err)
			}
			s.pause(rand.N(5 * time.Second))
			return nil
		})
	}},
	{"never write", 50, func(s *server) error {
		return s.with(func(c *client) error {
			if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				return fmt.Errorf("%d bytes, %v, and not the end of the idle", n, err)
			}
			return nil
		})
	}},
	{"reset", 10, func(s *server) error {
		return s.with(func(c *client) error {
			if err := c.send(rand.IntN(1 << rand.IntN(17))); err != nil && !isReset(err) {
				return err
			}
			s.pause(rand.N(200 * time.Millisecond))
			c.reset()
			return nil
		})
	}},
	{"connect and close", 10, func(s *server) error {
		return s.with(func(*client) error { s.pause(rand.N(200 * time.Millisecond)); return nil })
	}},
}

// with is a connection's life; it is closed after it.
func (s *server) with(live func(*client) error) error {
	c, err := s.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err = live(c); err == nil {
		return nil
	}
	if isReset(err) && s.told(c.LocalAddr().String()+": idle for") > 0 { // this machine was too busy for its client
		s.late.Add(1)
		return nil
	}
	return fmt.Errorf("%v: %w", c.LocalAddr(), err)
}

// pause is what a client does between two exchanges; it ends with the time of the load.
func (s *server) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.over:
	}
}

// mixedLoad is all of them at once, for as long as was asked for. What the server uses at the end of it is what it used
// when it had begun.
func mixedLoad(t *testing.T) {
	s := start(t, "--max-conns", "2000", "--idle-timeout", "12s")
	w := s.watch(fmt.Sprintf("mixed load for %v: `--max-conns 2000 --idle-timeout 12s`", *mixed))
	ctx, cancel := context.WithTimeout(context.Background(), *mixed)
	defer cancel()
	s.over = ctx.Done()
	var lives, failed atomic.Int64
	var all sync.WaitGroup
	for _, kind := range kinds {
		for range kind.times {
			all.Go(func() {
				for ctx.Err() == nil {
					if err := kind.live(s); err != nil {
						if failed.Add(1) <= 10 {
							t.Errorf("%s: %v", kind.name, err)
						}
						s.pause(time.Second)
					}
					lives.Add(1)
				}
			})
		}
	}
	samples := s.until(ctx, w)
	all.Wait()
	s.gone()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of %d connections failed", n, lives.Load())
	}
	early, late := quarter(samples, 1), quarter(samples, 3)
	w.end(s, int(lives.Load()), "%d failed, %d were too late for the idle timeout; RSS in the second quarter %s MB, in the last %s; descriptors %d and %d, threads %d and %d",
		failed.Load(), s.late.Load(), mb(early.resident), mb(late.resident), early.descriptors, late.descriptors, early.threads, late.threads)
	if late.resident > early.resident+early.resident/10+4<<20 || late.threads > early.threads+4 {
		t.Errorf("it grows: %+v in the second quarter, %+v in the last", early, late)
	}
	s.stop()
}

// until takes samples until the time is over, and says now and then how it stands.
func (s *server) until(ctx context.Context, w *watcher) (list []sample) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for told := time.Now(); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick.C:
			now := w.look(s)
			list = append(list, now)
			if time.Since(told) > time.Minute {
				told = time.Now()
				fmt.Printf("%4.0f min: %d connections, RSS %s MB, kernel %s MB, %d descriptors, %d threads, %s MB verified\n",
					time.Since(w.began).Minutes(), now.conns, mb(now.resident), mb(now.kernel), now.descriptors, now.threads, mb(verified.Load()-w.verified))
			}
		}
	}
	return list
}

// quarter has the middle of each number in that quarter of the time, the first being 0.
func quarter(list []sample, n int) (middle sample) {
	part := list[n*len(list)/4 : (n+1)*len(list)/4]
	of := func(number func(sample) int64) int64 {
		numbers := make([]int64, len(part))
		for i, one := range part {
			numbers[i] = number(one)
		}
		slices.SortFunc(numbers, cmp.Compare)
		return numbers[len(numbers)/2]
	}
	return sample{
		resident:    of(func(s sample) int64 { return s.resident }),
		descriptors: int(of(func(s sample) int64 { return int64(s.descriptors) })),
		threads:     int(of(func(s sample) int64 { return int64(s.threads) })),
	}
}
