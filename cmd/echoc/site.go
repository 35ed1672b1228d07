package main

import (
	"fmt"
	"time"

	"socklife/internal/cli"
	"socklife/internal/ladder"
	"socklife/internal/site"
	"socklife/internal/timeline"
	"socklife/internal/tour"
)

// pages makes a folder of pages of a tour. It is a sink of the tour's log, and keeps one run at a time.
type pages struct {
	f      *cli.Flags
	site   *site.Site
	events []timeline.Event
	err    error // the first
}

// newPages begins the folder that --html names; it is nil if there is to be none.
func newPages(f *cli.Flags) (*pages, error) {
	switch {
	case f.HTML == "":
		return nil, nil
	case f.Overwrite:
		return nil, cli.Usagef("--overwrite replaces no folder: remove it, or name another one")
	}
	s, err := site.New(f.HTML, cli.Kernel())
	if err != nil {
		return nil, fmt.Errorf("--html %s: %w", f.HTML, err)
	}
	return &pages{f: f, site: s}, nil
}

// Event keeps an event.
func (p *pages) Event(e timeline.Event) { p.events = append(p.events, e) }

// end makes the page of a run that is over.
func (p *pages) end(s tour.Stop) {
	events := p.events
	p.events = nil
	if p.err != nil || s.Result.Interrupted {
		return
	}
	run := site.Run{Name: s.Name(), Group: string(s.Scenario.Group), Lesson: s.Scenario.Lesson, OK: s.Result.OK(), Says: s.Result.Why()}
	switch {
	case s.NotPlayed != "":
		run.NotPlayed, run.Says = true, s.NotPlayed
	case run.OK:
		run.Says = fmt.Sprintf("%d checks, all met", s.Result.Checks)
	}
	p.err = p.site.Add(run, ladder.Head{Title: s.Name(), Lesson: s.Scenario.Lesson, Ref: s.Scenario.Source}, events)
}

// discard leaves nothing behind of a folder that is not done.
func (p *pages) discard() {
	if p != nil {
		p.site.Discard()
	}
}

// done gives the folder its name, if the tour came to its end.
func (p *pages) done(ended error, table []*timeline.Coverage) error {
	if p == nil {
		return ended
	}
	if cli.Status(ended) == cli.ExitInterrupted {
		return ended
	}
	if p.err == nil {
		p.err = p.site.Done(table, measuredOn(p.f), time.Now())
	}
	if p.err != nil && ended == nil {
		return fmt.Errorf("--html %s: %w", p.f.HTML, p.err)
	}
	return ended
}
