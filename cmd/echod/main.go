// Command echod is an echo server (RFC 862) that shows the life of its connections, and plays the server's side of
// scenarios.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"socklife/internal/cli"
	"socklife/internal/lesson"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// flags are those of echod alone, beside the shared ones.
type flags struct {
	*cli.Flags
	limits
	listen string
	runs   int
}

func main() {
	stage.Worker()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	f := &flags{Flags: cli.NewFlags("echod")}
	f.In(cli.GroupAddresses).StringVar(&f.listen, "listen", cli.DefaultAddr, "listen on this `ADDR`; port 0 picks a free one")
	f.In(cli.GroupServing).IntVar(&f.runs, "runs", 0, "stop after `N` runs of the scenario (0: never)")
	f.limits.addTo(f.Flags)
	if err := f.Parse(args); err != nil {
		return complain(err)
	}
	if asked, err := f.Answer(os.Stdout, about()); asked {
		return complain(err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	return complain(dispatch(ctx, f, f.Set.Args()))
}

func complain(err error) int { return cli.Complain(os.Stderr, "echod", err) }

func dispatch(ctx context.Context, f *flags, args []string) error {
	if f.IPv6 && !f.Set.Changed("listen") {
		f.listen = strings.Replace(f.listen, cli.Loopback(false).String(), "", 1) // this host, and --ipv6 says how
	}
	addr, err := f.Address(ctx, f.listen)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0:
		if err := f.Refuse("the plain echo server, only for scenarios", append(cli.OfScenarios, "runs")...); err != nil {
			return err
		}
		return serve(ctx, f, addr)
	case len(args) == 2 && cli.LooksLikeAddr(args[1]):
		return cli.Usagef("echod listens on an address: echod %s --listen %s", args[0], args[1])
	case len(args) > 1:
		return cli.Usagef("too many arguments: %q (see echod --help)", args[1:])
	case cli.LooksLikeAddr(args[0]):
		return cli.Usagef("%q is an address: echod --listen %s", args[0], args[0])
	}
	sc, err := cli.Scenario(args[0])
	if err != nil {
		return err
	}
	if err := f.Refuse("scenarios, only for the plain echo server", ofPlainServer...); err != nil {
		return err
	}
	return play(ctx, f, sc, addr)
}

// play serves the scenario, run after run.
func play(ctx context.Context, f *flags, sc *stage.Scenario, addr netip.AddrPort) error {
	if f.runs != 1 {
		if err := f.Refuse("a server that goes on: it is of one run, so add --runs 1", "mermaid", "svg"); err != nil {
			return err
		}
	}
	o := view.Options{
		Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, Words: lesson.Of(sc.Name).Before(), ManyConns: sc.Many, ClientLabel: "client (seen through sock_diag)", ClientSource: "sock_diag",
	}
	out := f.Output(f.Wire.Timeline(), o)
	if err := f.Keep(&out, o, timeline.Server); err != nil {
		return out.Done(err)
	}
	ctx, pcap, endPcap, err := f.Wire.OpenPcap(ctx, out.Log)
	if err != nil {
		return out.Done(err)
	}
	if err := f.Draw(&out, o, cli.Kernel()); err != nil {
		return errors.Join(err, endPcap())
	}
	out.Begin()
	cfg := f.Config(out)
	cfg.Pcap = pcap
	cfg.Addr, cfg.Timeout = addr, cli.TwoTerminalTimeout
	cfg.Ready = func(a netip.AddrPort) { listening(f.Flags, out.Log, a) }
	var failed error
	err = stage.Serve(ctx, sc, cfg, f.runs, func(r stage.Result) {
		out.Flush()
		if verdict := cli.Verdict(sc.Name, r); verdict != nil {
			if !errors.Is(verdict, stage.ErrAsked) && (f.runs != 1 || errors.Is(verdict, stage.ErrLeft) || errors.Is(verdict, stage.ErrStranger)) {
				cli.Complain(os.Stderr, "echod", verdict)
				verdict = cli.Told{Err: verdict}
			}
			if !stage.NobodyPlayed(verdict) { // a port scan is no run
				failed = verdict
			}
		}
	})
	if errors.Is(err, cli.ErrTerminated) {
		err = nil
	}
	if pcapErr := endPcap(); err == nil {
		err = pcapErr
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
	shown := !f.JSON && view.IsTerminal(f.Wire.Timeline()) && view.IsTerminal(os.Stderr) // in the timeline, on the same screen
	if !f.Quiet && !shown {
		fmt.Fprintln(os.Stderr, "echod: "+text)
	}
	if !f.Quiet && !addr.Addr().Unmap().IsLoopback() {
		cli.Remark(os.Stderr, "echod", open(addr))
	}
}

// open is the warning about an address that others reach.
func open(addr netip.AddrPort) string {
	who := "whoever reaches " + addr.Addr().String()
	if addr.Addr().IsUnspecified() {
		who = "whoever reaches this host, on any of its addresses,"
	}
	return fmt.Sprintf("warning: %s can connect: nobody is asked who they are, and nothing is encrypted (--listen :%d is for this host alone)", who, addr.Port())
}
