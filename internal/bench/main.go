// Command bench compares this project with other software that does the same: each comparison is one run, in which the
// contenders take turns, and what counts is the ratio of their medians. It is a module of its own, so that what it
// compares with is nothing that the project depends on.
//
//	go run . [--short] [COMPARISON ...]
//
// docs/performance.md explains what is compared, and has a run's figures.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// comparison is one table.
type comparison struct {
	name string
	what string
	run  func(*bench) error
}

var comparisons = []comparison{
	{"diag", "a dump of every TCP socket, with TCP_INFO", diag},
	{"get", "getsockopt(TCP_INFO), decoded", get},
	{"echo-1", "one connection, messages of 64 bytes", exchanges{load: load{conns: 1, size: 64}, ofC: 0.95, ofNet: 1.15}.run},
	{"echo-64", "64 connections, messages of 64 bytes", exchanges{load: load{conns: 64, size: 64}, ofC: 0.95, ofNet: 1.15, without: "socat"}.run},
	{"echo-8000", "8,000 connections, messages of 64 bytes", exchanges{load: load{conns: 8000, size: 64}, ofC: 0.95, ofNet: 1.15, without: "socat"}.run},
	{"bulk", "one connection, messages of 256 KiB", exchanges{load: load{conns: 1, size: 256 << 10}, ofC: 0.95, ofNet: 1.15}.run},
	{"connect", "connect, echo 64 bytes, close: 16 at a time", exchanges{load: load{conns: 16, size: 64, again: true}, ofC: 0.9, ofNet: 1, without: "socat"}.run},
	{"watch", "1,000 busy connections, watched 20 times a second", watching},
}

func main() {
	short := flag.Bool("short", false, "few sockets and few turns: only what is far off is found")
	turns := flag.Int("turns", 0, "how often the contenders take turns (0: the comparison's own number)")
	echoc := flag.String("echoc", "", "the echoc that watches (default: the project's)")
	table := flag.Bool("table", false, "print Markdown, for docs/performance.md; a missed goal is no failure")
	flag.Parse()
	if flag.NArg() == 2 && os.Getenv(insideVar) != "" { // one of the servers
		switch flag.Arg(0) {
		case "serve-net":
			fail(serveNet(flag.Arg(1)))
		case "serve-gnet":
			fail(serveGnet(flag.Arg(1)))
		}
	}
	if inside, err := enterNamespace(); err != nil {
		fail(err)
	} else if !inside {
		return
	}
	failed := false
	for _, c := range comparisons {
		if names := flag.Args(); len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		failed = !try(c, *short, *turns, *echoc, *table) && !*table || failed
	}
	if failed {
		os.Exit(1)
	}
}

// try makes one comparison; in short a second time if the first fails, for the machine may have been busy.
func try(c comparison, short bool, turns int, echoc string, markdown bool) bool {
	for last := !short; ; last = true {
		b := &bench{short: short, given: turns, echoc: echoc}
		if err := c.run(b); err != nil {
			fail(fmt.Errorf("%s: %w", c.name, err))
		}
		if markdown {
			b.markdown(os.Stdout, c)
		} else {
			fmt.Printf("## %s: %s\n\n", c.name, c.what)
			b.print(os.Stdout)
		}
		if !b.missed || last {
			return !b.missed
		}
		fmt.Print("once more:\n\n")
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", strings.TrimSpace(err.Error()))
	os.Exit(1)
}
