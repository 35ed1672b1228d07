package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// exchanges compares servers by the CPU time that a message costs them. Each has one CPU, the clients have another: so
// it is also, turned over, how many messages a second a busy server manages.
type exchanges struct {
	load
	ofC, ofNet float64       // goals: so often the messages of
	without    string        // the server that cannot do it
	lasts      time.Duration // how long a turn is; 0: as long as others
	beside     func() error  // called at the begin and the end of what is measured
}

func (x exchanges) run(b *bench) (err error) {
	if b.short {
		x.conns = min(x.conns, 1000)
	}
	dir, err := os.MkdirTemp("", "socklife-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := files(uint64(x.conns + 100)); err != nil {
		return err
	}
	// Those that have ended are not to fill the tables.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", []byte("4096"), 0); err != nil {
		return err
	}
	var list []*contender
	for i := range serverCommands {
		command := &serverCommands[i]
		if command.name == x.without {
			continue
		}
		if _, err := exec.LookPath(command.needs); command.needs != "" && err != nil {
			b.remark("%s is not here", command.needs)
			continue
		}
		s, err := command.start(dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		c := &contender{name: s.name}
		c.do = func() error { return onCPU(1, func() error { return x.turn(b, s, c) }) }
		if s.name == "echod" {
			c.most = []limit{{1 / x.ofC, "epoll loop in C"}, {1 / x.ofNet, "Go's net"}}
		}
		list = append(list, c)
	}
	return b.turns(15, list...)
}

// turn has one server serve for a while: longer, if nothing came back, as may be on a machine that does other things.
func (x exchanges) turn(b *bench, s *server, c *contender) error {
	length := cmp.Or(x.lasts, b.each())
	for try := 0; ; try++ {
		n, err := x.serve(length<<try, s, c)
		if err != nil || n > 0 {
			return err
		}
		if try == 4 {
			return fmt.Errorf("nothing came back in %v", length<<try)
		}
	}
}

func (x exchanges) serve(length time.Duration, s *server, c *contender) (messages int, err error) {
	var cpu []time.Duration
	var at []time.Time
	l := x.load
	l.port = s.port
	n, err := l.run(length, func() error {
		if x.beside != nil {
			if err := x.beside(); err != nil {
				return err
			}
		}
		now, err := s.cpu()
		cpu, at = append(cpu, now), append(at, time.Now())
		return err
	})
	if err != nil || n == 0 {
		return 0, err
	}
	c.cost, c.elapsed = (cpu[1]-cpu[0])/time.Duration(n), at[1].Sub(at[0])/time.Duration(n)
	return n, nil
}

// each is how long a turn is.
func (b *bench) each() time.Duration {
	if b.short {
		return 100 * time.Millisecond
	}
	return 400 * time.Millisecond
}
