package main

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"os"
	"strings"
	"time"

	"socklife/internal/cli"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/tour"
	"socklife/internal/view"
)

// tourName is what stands in the place of a scenario's name.
const tourName = "tour"

// takeTour plays every scenario, tells how each went, and what of TCP was seen.
func takeTour(ctx context.Context, f *cli.Flags) error {
	if err := f.Refuse("the tour, only for one scenario", append(notForTheTour, "mermaid", "svg")...); err != nil {
		return err
	}
	if err := noRules(f, "the tour"); err != nil {
		return err
	}
	site, err := newPages(f)
	if err != nil {
		return err
	}
	defer site.discard()
	o := view.Options{Title: tourName, Lesson: "which states and transitions of TCP can be seen here", Ref: "RFC 9293 3.3.2", Lanes: 1}
	out := f.Output(os.Stdout, o)
	coverage := tour.NewCoverage()
	sink := timeline.Sink(out.View)
	if !f.JSON {
		sink = onlyCoverage{sink}
	}
	log := timeline.New(coverage, sink)
	out.Log = log
	if err := f.Keep(&out, o, timeline.Client, timeline.Server); err != nil {
		return err
	}
	cfg, p := tourOf(f, out, coverage), newProgress(f.Quiet || f.JSON, os.Stdout)
	cfg.Begin, cfg.End = p.begin, p.end
	if site != nil {
		log.Detail()
		log.AddSink(site)
		cfg.End = func(s tour.Stop) { p.end(s); site.end(s) }
	}
	result := tour.Run(ctx, cfg)
	return site.done(out.Done(cli.Verdict(tourName, result)), coverage.Table())
}

// noRules refuses rules for the wire, which are about one scenario's segments.
func noRules(f *cli.Flags, what string) error {
	if f.Wire.Rules() {
		return cli.Usagef("--hold RULE is not for %s, only for one scenario (see --help)", what)
	}
	return nil
}

// tourOf is a tour as the flags want it, whose events go to out.
func tourOf(f *cli.Flags, out cli.Output, coverage *tour.Coverage) tour.Config {
	cfg := tour.Config{Run: f.Config(out), Coverage: coverage}
	cfg.Run.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	if f.Wire.On {
		cfg.Wire = &stage.WireConfig{}
	}
	return cfg
}

// onlyCoverage leaves what the scenarios say of themselves to their own command.
type onlyCoverage struct{ timeline.Sink }

func (o onlyCoverage) Event(e timeline.Event) {
	switch b := e.Body.(type) {
	case *timeline.Coverage:
		o.Sink.Event(e)
	case *timeline.Summary:
		if b.Scenario == tourName {
			o.Sink.Event(e)
		}
	}
}

// notForTheTour are the flags that mean something for a single scenario.
var notForTheTour = []string{"step", "pace", "all", "clock", "bind", "capture", "pcap", "pcap-both", "delay", "loss", "seed", "drop", "dup", "reorder", "sysctl"}

// progress is a line for each scenario; on a terminal the one that is being played is shown too.
type progress struct {
	quiet, live bool
	width       int // lines are wrapped to it
}

func newProgress(quiet bool, to *os.File) progress {
	if view.IsTerminal(to) {
		return progress{quiet, true, view.Width(to)}
	}
	return progress{quiet, false, math.MaxInt}
}

// line prints a line; what does not fit stands below it.
func (p progress) line(format string, args ...any) {
	for _, l := range view.Wrap(fmt.Sprintf(format, args...), p.width, len("  1/34  ")) {
		fmt.Println(l)
	}
}

// row is a scenario and how it went; a narrow terminal has no columns.
func (p progress) row(s tour.Stop, how string) {
	if p.width < wideRow {
		p.line("%3d/%d  %s: %s", s.N, s.Of, s.Name(), strings.Join(strings.Fields(how), " "))
	} else {
		p.line("%3d/%d  %-26s %s", s.N, s.Of, s.Name(), how)
	}
}

const wideRow = 60

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
		p.row(s, "not here: "+s.NotPlayed)
	case !s.Result.OK():
		p.row(s, "FAILED")
		for _, e := range s.Failures {
			c := e.Body.(*timeline.Check)
			p.line("        %s: expected %s: got %s", e.Side, c.Expect, c.Got)
		}
		if s.Result.Err != nil {
			p.line("        %v", s.Result.Err)
		}
	default:
		p.row(s, fmt.Sprintf("%2d checks met  %7v", s.Result.Checks, s.Took.Round(time.Millisecond)))
	}
}
