// Command echod is an echo server (RFC 862) that shows the life of its connections, and plays the server's side of
// scenarios.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"socklife/internal/cli"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

const synopsis = `
echod - an echo server that shows what TCP does

  echod [flags]            serve the echo protocol (RFC 862) to many clients
  echod [flags] SCENARIO   play the server's side of a scenario, again and again
  echod --list             list the scenarios

The client's side is played by echoc, in another terminal.
`

// flags are those of echod alone, beside the shared ones.
type flags struct {
	*cli.Flags
	listen   string
	runs     int
	maxConns int
	idle     time.Duration
	drain    time.Duration
}

func main() {
	stage.Worker()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	f := &flags{Flags: cli.NewFlags("echod")}
	f.Set.StringVar(&f.listen, "listen", cli.DefaultAddr, "listen on this `address`; port 0 picks a free one")
	f.Set.IntVar(&f.runs, "runs", 0, "stop after this `many` runs of the scenario (0: never)")
	f.Set.IntVar(&f.maxConns, "max-conns", 0, "serve this `many` clients at once; more wait in the accept queue (0: all)")
	f.Set.DurationVar(&f.idle, "idle-timeout", 0, "close connections on which nothing moved this `long` (0: never)")
	f.Set.DurationVar(&f.drain, "drain-timeout", 5*time.Second, "at SIGTERM, how `long` clients may take to finish")
	if err := f.Parse(args); err != nil {
		return complain(err)
	}
	if asked, err := f.Answer(os.Stdout, "echod", synopsis); asked {
		return complain(err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	return complain(dispatch(ctx, f, f.Set.Args()))
}

func complain(err error) int { return cli.Complain(os.Stderr, "echod", err) }

func dispatch(ctx context.Context, f *flags, args []string) error {
	addr, err := cli.Address(ctx, f.listen)
	if err != nil {
		return err
	}
	if f.IPv6 && !f.Set.Changed("listen") {
		addr = netip.AddrPortFrom(cli.Loopback(true), addr.Port())
	}
	switch {
	case len(args) == 0:
		if err := f.Refuse("the plain echo server, only for scenarios", append(cli.OfScenarios, "runs")...); err != nil {
			return err
		}
		return serve(ctx, f, addr)
	case len(args) > 1:
		return cli.Usagef("too many arguments: %q (see echod --help)", args[1:])
	case cli.LooksLikeAddr(args[0]):
		return cli.Usagef("%q is an address: echod --listen %s", args[0], args[0])
	}
	sc, err := cli.Scenario(args[0])
	if err != nil {
		return err
	}
	if err := f.Refuse("scenarios, only for the plain echo server", "max-conns", "idle-timeout", "drain-timeout"); err != nil {
		return err
	}
	return play(ctx, f, sc, addr)
}

// play serves the scenario, run after run.
func play(ctx context.Context, f *flags, sc *stage.Scenario, addr netip.AddrPort) error {
	out := f.Output(os.Stdout, view.Options{
		Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, ManyConns: sc.Many, ClientLabel: "client (seen through sock_diag)", ClientSource: "sock_diag",
	})
	cfg := f.Config(out)
	cfg.Addr, cfg.Timeout = addr, cli.TwoTerminalTimeout
	cfg.Ready = func(a netip.AddrPort) { listening(f.Flags, out.Log, a) }
	var failed error
	err := stage.Serve(ctx, sc, cfg, f.runs, func(r stage.Result) {
		out.Flush()
		if verdict := cli.Verdict(sc.Name, r); verdict != nil {
			if !errors.Is(verdict, stage.ErrAsked) && (f.runs != 1 || errors.Is(verdict, stage.ErrLeft)) {
				cli.Complain(os.Stderr, "echod", verdict)
				verdict = cli.Told{Err: verdict}
			}
			if !errors.Is(verdict, stage.ErrLeft) { // a port scan is no run
				failed = verdict
			}
		}
	})
	if errors.Is(err, cli.ErrTerminated) {
		err = nil
	}
	if err == nil {
		err = failed
	}
	return out.Done(err)
}

// listening says where, on standard error and as an event.
func listening(f *cli.Flags, log *timeline.Log, addr netip.AddrPort) {
	text := "listening on " + addr.String()
	log.Add(timeline.Server, time.Time{}, &timeline.Note{Text: text})
	shown := !f.JSON && view.IsTerminal(os.Stdout) && view.IsTerminal(os.Stderr) // in the timeline, on the same screen
	if !f.Quiet && !shown {
		fmt.Fprintln(os.Stderr, "echod: "+text)
	}
}
