package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// echoWith compares servers by the CPU time that a message costs them. Each has one CPU, the clients have another: so
// it is also, turned over, how many messages a second a busy server manages.
func echoWith(conns, size int, ofC, ofNet float64) func(*bench) error {
	return func(b *bench) (err error) {
		if b.short {
			conns = min(conns, 1000)
		}
		dir, err := os.MkdirTemp("", "socklife-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := files(uint64(conns + 100)); err != nil {
			return err
		}
		var others unix.CPUSet
		others.Set(1)
		if err := unix.SchedSetaffinity(0, &others); err != nil {
			return fmt.Errorf("this takes two CPUs: %w", err)
		}
		var list []*contender
		for i := range serverCommands {
			s, err := serverCommands[i].start(dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.stop()) }()
			c := &contender{name: s.name}
			c.do = func() error {
				before, err := s.cpu()
				if err != nil {
					return err
				}
				n, err := load{s.port, conns, size}.run(b.each())
				if err != nil {
					return err
				}
				after, err := s.cpu()
				if err != nil || n == 0 {
					return errors.Join(err, fmt.Errorf("%d messages came back", n))
				}
				c.cost = (after - before) / time.Duration(n)
				return nil
			}
			if s.name == "echod" {
				c.most = []limit{{1 / ofC, "epoll loop in C"}, {1 / ofNet, "Go's net"}}
			}
			list = append(list, c)
		}
		return b.turns(15, list...)
	}
}

// each is how long a turn is.
func (b *bench) each() time.Duration {
	if b.short {
		return 300 * time.Millisecond
	}
	return time.Second
}
