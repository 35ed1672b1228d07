package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"time"

	"socklife/internal/cli"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/tour"
	"socklife/internal/view"
)

// takeTour plays every scenario, tells how each went, and what of TCP was seen.
func takeTour(ctx context.Context, f *cli.Flags) error {
	if err := f.Refuse("the tour, only for one scenario", "step", "pace", "bind", "capture", "pcap", "pcap-both", "delay", "loss", "seed", "drop", "dup", "reorder"); err != nil {
		return err
	}
	if f.Wire.Rules() {
		return cli.Usagef("--hold RULE is not for the tour, only for one scenario (see --help)")
	}
	out := f.Output(os.Stdout, view.Options{
		Title: "tour", Lesson: "which states and transitions of TCP can be seen here", Ref: "RFC 9293 3.3.2", Lanes: 1,
	})
	coverage := tour.NewCoverage()
	sink := timeline.Sink(out.View)
	if !f.JSON {
		sink = onlyCoverage{sink}
	}
	log := timeline.New(coverage, sink)
	cfg := f.Config(out)
	cfg.Log, cfg.Addr = log, netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	var wire *stage.WireConfig
	if f.Wire.On {
		wire = &stage.WireConfig{}
	}
	p := progress{quiet: f.Quiet || f.JSON, live: view.IsTerminal(os.Stdout)}
	result := tour.Run(ctx, tour.Config{Run: cfg, Wire: wire, Coverage: coverage, Begin: p.begin, End: p.end})
	log.Close()
	return out.Done(cli.Verdict("tour", result))
}

// onlyCoverage leaves what the scenarios say of themselves to their own command.
type onlyCoverage struct{ timeline.Sink }

func (o onlyCoverage) Event(e timeline.Event) {
	switch b := e.Body.(type) {
	case *timeline.Coverage:
		o.Sink.Event(e)
	case *timeline.Summary:
		if b.Scenario == "tour" {
			o.Sink.Event(e)
		}
	}
}

// progress is a line for each scenario; on a terminal the one that is being played is shown too.
type progress struct{ quiet, live bool }

func (p progress) begin(s tour.Stop) {
	if !p.quiet && p.live {
		fmt.Printf("%3d/%d  %s ...", s.N, s.Of, s.Name())
	}
}

func (p progress) end(s tour.Stop) {
	if p.quiet {
		return
	}
	if p.live {
		fmt.Print("\r\x1b[K")
	}
	switch {
	case s.NotPlayed != "":
		fmt.Printf("%3d/%d  %-26s not here: %s\n", s.N, s.Of, s.Name(), s.NotPlayed)
	case !s.Result.OK():
		fmt.Printf("%3d/%d  %-26s FAILED\n", s.N, s.Of, s.Name())
		for _, e := range s.Failures {
			c := e.Body.(*timeline.Check)
			fmt.Printf("        %s: expected %s: got %s\n", e.Side, c.Expect, c.Got)
		}
		if s.Result.Err != nil {
			fmt.Printf("        %v\n", s.Result.Err)
		}
	default:
		fmt.Printf("%3d/%d  %-26s %2d checks met  %7v\n", s.N, s.Of, s.Name(), s.Result.Checks, s.Took.Round(time.Millisecond))
	}
}
