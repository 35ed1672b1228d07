package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// watching compares a busy server with the same one while echoc watch looks at its connections 20 times a second. It
// has done so for two seconds by then: at first all of them are new to it, and it looks through /proc for whose they
// are.
func watching(b *bench) (err error) {
	const conns, every = 1000, 50 * time.Millisecond
	if err := files(conns + 100); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "socklife-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	echoc := b.echoc
	if echoc == "" {
		if echoc, err = command(dir, "echoc"); err != nil {
			return err
		}
	}
	if out, err := exec.Command(echoc, "watch", "--once", "--quiet", ":1").CombinedOutput(); err != nil {
		b.remark("not run: echoc has no watch (%v): %.60q", err, out)
		return nil
	}
	s, err := serverCommands[0].start(dir) // the one in C, which does nothing else
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := load{port: s.port, conns: conns, size: 64, before: 2 * time.Second}
	length := 6 * b.each()
	var shares []float64
	alone, watched := &contender{name: "a message"}, &contender{name: "a message, watched"}
	alone.do = func() error {
		return onCPU(1, func() error { return exchanges{load: l, lasts: length}.turn(b, s, alone) })
	}
	watched.most = []limit{{1.03, alone.name}}
	watched.do = func() error {
		w := exec.Command(echoc, "watch", "--every", every.String(), "--quiet", fmt.Sprintf(":%d", s.port))
		if err := w.Start(); err != nil {
			return err
		}
		defer func() { _ = w.Process.Kill(); _ = w.Wait() }()
		watcher := &server{name: "echoc watch", cmd: w}
		var cpu []time.Duration
		var at []time.Time
		err := onCPU(1, func() error {
			return exchanges{load: l, lasts: length, beside: func() error {
				used, err := watcher.cpu()
				cpu, at = append(cpu, used), append(at, time.Now())
				return err
			}}.turn(b, s, watched)
		})
		if err == nil {
			shares = append(shares, float64(cpu[1]-cpu[0])/float64(at[1].Sub(at[0])))
		}
		return err
	}
	if err := b.turns(9, alone, watched); err != nil {
		return err
	}
	share := 100 * median(shares)
	b.remark("echoc watch --every %v of %d busy connections, from its third second on: %.1f %% of a core (goal: at most 3)", every, conns, share)
	if share > 3 && !b.short || share > 3*farOff {
		b.missed = true
	}
	return nil
}

// command builds one of the project's.
func command(dir, name string) (string, error) {
	bin := filepath.Join(dir, name)
	build := exec.Command("go", "build", "-o", bin, "./cmd/"+name)
	build.Dir = "../.." // the project's own module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return bin, nil
}
