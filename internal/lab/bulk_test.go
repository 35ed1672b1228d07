package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// echo sends n bytes from the client to the server, which sends them all back, and compares what comes back.
func echo(t testing.TB, l *Lab, n int) time.Duration {
	t.Helper()
	client, server := pairOn(t, l)
	start := time.Now()
	failed := make(chan error, 3)
	sent, back := sha256.New(), sha256.New()
	go func() { failed <- echoBack(server) }()
	go func() { failed <- sendRandom(client, sent, n) }()
	go func() { failed <- receive(client, back, n) }()
	for range 3 {
		must(t, <-failed)
	}
	took := time.Since(start)
	if a, b := sent.Sum(nil), back.Sum(nil); string(a) != string(b) {
		t.Errorf("sent %x, came back %x", a, b)
	}
	return took
}

func echoBack(s *sockapi.Socket) error {
	buf := make([]byte, 1<<18)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		if n == 0 {
			return s.Shutdown(unix.SHUT_WR)
		}
		if _, err := s.Stream().Write(buf[:n]); err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
}

func sendRandom(s *sockapi.Socket, sum hash.Hash, n int) error {
	chance := rand.NewChaCha8([32]byte{1})
	buf := make([]byte, 1<<18)
	for n > 0 {
		b := buf[:min(n, len(buf))]
		chance.Read(b)
		sum.Write(b)
		if _, err := s.Stream().Write(b); err != nil {
			return fmt.Errorf("client, %d bytes before the end: %w", n, err)
		}
		n -= len(b)
	}
	return s.Shutdown(unix.SHUT_WR)
}

func receive(s *sockapi.Socket, sum hash.Hash, n int) error {
	got, err := io.CopyBuffer(sum, struct{ io.Reader }{s.Stream()}, make([]byte, 1<<18))
	if err != nil {
		return fmt.Errorf("client, after %d bytes: %w", got, err)
	}
	if got != int64(n) {
		return errors.New("client: too few bytes came back")
	}
	return nil
}

// 200 MB there and back over a line that loses a packet in twenty, doubles some and turns others around.
func TestBulkOverABadLine(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short")
	}
	const n = 200 << 20
	all := tally{}
	l := newLab(t, Config{
		Link: Link{Loss: 0.05, Seed: 1}, Rules: MustRules("dup any every 50", "reorder any every 47 by 3 within 10ms"), Report: all.report,
	})
	took := echo(t, l, n)
	must(t, l.Close())
	t.Logf("%v; %v", took.Round(time.Millisecond), all)
	for _, side := range []Side{Client, Server} {
		lost, sent := float64(all[came{side, Dropped}]), float64(all[came{side, Delivered}])
		if lost /= lost + sent; lost < 0.04 || lost > 0.06 || all[came{side, Duplicated}] == 0 || all[came{side, Reordered}] == 0 {
			t.Errorf("%s: lost %.3f of the packets", side, lost)
		}
	}
}

// tally counts what became of packets; the wire reports one at a time.
type tally map[came]int

type came struct {
	from Side
	fate Fate
}

// report leaves out a FIN that was sent again because the machine was busy: that one is lost on purpose.
func (t tally) report(p Packet) {
	if p.By != ByLate {
		t[came{p.From, p.Fate}]++
	}
}

// The same over a good line: nothing is lost, by the wire or before it.
func TestBulk(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		mtu    int
	}{
		{"plain", Config{}, 1500},
		{"with a rule", Config{Rules: MustRules("drop client syn port 1")}, 1500},
		{"MTU 9000", Config{}, 9000},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := tally{}
			c.config.Report = all.report
			l := newLab(t, c.config)
			setMTU(t, l, c.mtu)
			const n = 20 << 20
			echo(t, l, n)
			noLoss(t, l)
			must(t, l.Close())
			for of, count := range all {
				if of.fate != Delivered {
					t.Errorf("%s: %d packets %s", of.from, count, of.fate)
				}
			}
		})
	}
}

// noLoss checks that the queues of the TUN devices have not overflowed.
func noLoss(t testing.TB, l *Lab) {
	t.Helper()
	for _, h := range []*Host{l.Client, l.Server} {
		must(t, h.Do(func() error {
			dev, err := os.ReadFile("/proc/thread-self/net/dev")
			if err != nil {
				return err
			}
			for _, line := range strings.Split(string(dev), "\n") {
				f := strings.Fields(strings.ReplaceAll(line, ":", " "))
				// face, 8 fields of what was received, then bytes, packets, errs, drop sent.
				if len(f) > 12 && f[0] == ifName && (f[3] != "0" || f[4] != "0" || f[11] != "0" || f[12] != "0") {
					t.Errorf("%s lost something: %s", h.Name, line)
				}
			}
			return nil
		}))
	}
}

// BenchmarkWire moves 200 MB a round through the relay: there, and there and back. Gbit/s is payload in one direction;
// with echo as much crosses the other way at the same time. On two cores of an AMD EPYC, Linux 6.18, which do all of
// it, both hosts' TCP included, at normal priority with nothing else running, and without loss in the queues of the
// devices:
//
//	             there     there and back
//	plain        2.8–3.1   1.2    (MTU 1500: the segments a reader sees)
//	rule         2.2–2.7   1.2
//	mtu9000      8.2–9.9   4.0
//	mtu65535     16.6      8.9
//
// At realtime priority (chrt -r 1) an echo of MTU 1500 came to 2.0 each way.
func BenchmarkWire(b *testing.B) {
	const n = 200 << 20
	for _, c := range []struct {
		name   string
		config Config
		mtu    int
	}{
		{"plain", Config{}, 1500},
		{"rule", Config{Rules: MustRules("drop client syn port 1")}, 1500},
		{"mtu9000", Config{}, 9000},
		{"mtu65535", Config{}, 65535},
	} {
		for _, there := range []bool{true, false} {
			name := c.name + "/echo"
			if there {
				name = c.name + "/oneway"
			}
			b.Run(name, func(b *testing.B) {
				l := newLab(b, c.config)
				setMTU(b, l, c.mtu)
				var took time.Duration
				for b.Loop() {
					if there {
						took += oneWay(b, l, n)
					} else {
						took += plainEcho(b, l, n)
					}
				}
				noLoss(b, l)
				b.ReportMetric(float64(b.N)*n*8/took.Seconds()/1e9, "Gbit/s")
			})
		}
	}
}

func oneWay(b *testing.B, l *Lab, n int) time.Duration {
	client, server := pairOn(b, l)
	start := time.Now()
	failed := make(chan error, 2)
	go func() { failed <- sendZeros(client, n) }()
	go func() { failed <- discard(server, n) }()
	for range 2 {
		must(b, <-failed)
	}
	return time.Since(start)
}

func plainEcho(b *testing.B, l *Lab, n int) time.Duration {
	client, server := pairOn(b, l)
	start := time.Now()
	failed := make(chan error, 3)
	go func() { failed <- echoBack(server) }()
	go func() { failed <- sendZeros(client, n) }()
	go func() { failed <- discard(client, n) }()
	for range 3 {
		must(b, <-failed)
	}
	return time.Since(start)
}

func sendZeros(s *sockapi.Socket, n int) error {
	buf := make([]byte, 1<<18)
	for ; n > 0; n -= len(buf) {
		if _, err := s.Stream().Write(buf[:min(n, len(buf))]); err != nil {
			return err
		}
	}
	return s.Shutdown(unix.SHUT_WR)
}

func discard(s *sockapi.Socket, n int) error {
	buf := make([]byte, 1<<18)
	for got := 0; ; {
		k, err := s.Read(buf)
		switch got += k; {
		case err != nil:
			return err
		case k == 0 && got != n:
			return fmt.Errorf("%d bytes came, want %d", got, n)
		case k == 0:
			return nil
		}
	}
}

func BenchmarkNew(b *testing.B) {
	needLab(b)
	for b.Loop() {
		l, err := New(Config{})
		must(b, err)
		must(b, l.Close())
	}
}
