package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"socklife/internal/cli"
	"socklife/internal/lesson"
	"socklife/internal/merge"
	"socklife/internal/record"
	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/internal/watchlog"
)

// replayed are the flags that say how a record is shown; the others are about a run.
var replayed = []string{"color", "clock", "json", "all", "quiet", "pace", "step", "mermaid", "svg", "html", "overwrite"}

// replay shows a record as the run was shown; or two, one of each terminal, as one run.
func replay(ctx context.Context, f *cli.Flags, args []string) (err error) {
	f.Set.Visit(func(fl *pflag.Flag) {
		if err == nil && !slices.Contains(replayed, fl.Name) {
			err = cli.Usagef("--%s is about a run, and not about a record of one: it is not for replay", fl.Name)
		}
	})
	switch {
	case err != nil:
		return err
	case len(args) == 0:
		return cli.Usagef("replay wants a file that --record has written: echoc replay FILE")
	case len(args) > 2:
		return cli.Usagef("replay takes one file, or two: the client's and the server's of the same run")
	}
	var files []*record.Reader
	for _, name := range args {
		file, err := open(ctx, name)
		if err != nil {
			return err
		}
		defer file.Close()
		defer context.AfterFunc(ctx, func() { file.Close() })() // whoever waits for what comes through a pipe waits no more
		r, err := record.NewReader(name, file)
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		files = append(files, r)
	}
	source := record.Source(files[0])
	about := files[0].About
	if len(files) == 2 {
		merged, err := merge.Merge(files[0], files[1])
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		source, about = merged, merged.About
	}
	p := &player{f: f, about: about}
	err = p.play(ctx, source)
	for _, r := range files {
		remark(r)
	}
	return err
}

// open opens a file: a FIFO as soon as somebody writes to it, if the user waits for that.
func open(ctx context.Context, name string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(name)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// remark says what of a record was not shown, and is no mistake.
func remark(r *record.Reader) {
	if newer := r.Newer(); newer != "" {
		cli.Remark(os.Stderr, "echoc", newer)
	}
	if r.Unknown > 0 {
		cli.Remark(os.Stderr, "echoc", fmt.Sprintf("%s: events of kinds that this program does not know, which are passed over: %d", r.Name, r.Unknown))
	}
}

// player shows events as they were shown when they happened, at the reader's pace.
type player struct {
	f      *cli.Flags
	about  *timeline.Record
	scene  string // which scenario is being shown
	drawn  bool   // it is drawn too, if that was asked for
	out    cli.Output
	cfg    stage.Config
	failed error
}

// play shows all there is, and then tells what was wrong with it; or else, that what it is a record of was not in
// order.
func (p *player) play(ctx context.Context, from record.Source) (err error) {
	if p.about.Format != 0 { // else its first event may tell of what it is
		if err := p.turn(p.about.Title); err != nil {
			return err
		}
	}
	for {
		e, bad := from.Next()
		if bad != nil {
			if !errors.Is(bad, io.EOF) {
				err = cmp.Or(context.Cause(ctx), bad)
			}
			break
		}
		if err = p.next(ctx, e); err != nil {
			break
		}
	}
	if err == nil {
		err = p.failed
	}
	if p.out.View == nil {
		return err
	}
	return p.out.Done(err)
}

// turn has what follows shown as that scenario, or as the tour.
func (p *player) turn(name string) error {
	if p.out.View != nil {
		if name == p.scene {
			return nil
		}
		if err := p.out.Done(nil); err != nil {
			return err
		}
	}
	p.scene = name
	o := cli.Recorded(p.about)
	if p.about.Has(timeline.Host) {
		return p.watched(o.Title)
	}
	if name == "" && len(p.about.Sides) == 1 {
		if err := p.f.Refuse("a record of the plain server or client, only of scenarios", cli.OfScenarios...); err != nil {
			return err
		}
		p.out = p.f.Narration(os.Stdout, p.about.Sides[0])
		return nil
	}
	if name != p.about.Title {
		o = view.Options{Title: name, ClientSource: o.ClientSource, ServerSource: o.ServerSource, Recorded: true, Infer: o.Infer}
		if sc := scenario.Find(name); sc != nil {
			o.Lesson, o.Ref, o.ManyConns = sc.Lesson, sc.Source, sc.Many
		}
	} else if o.Words = lesson.Of(name).After(p.about.Args); !p.about.Has(timeline.Client) {
		o.Words = o.Words.Before()
	}
	p.out = p.f.Output(os.Stdout, o)
	if err := p.draw(o); err != nil {
		return err
	}
	p.cfg = p.f.Config(p.out)
	p.out.Begin()
	return nil
}

// watched has the record of a watch shown, as it was where the table was not drawn anew again and again.
func (p *player) watched(title string) error {
	if err := p.f.Refuse("a record of a watch", "clock", "all", "pace", "step", "mermaid", "svg"); err != nil {
		return err
	}
	if p.f.JSON || p.f.Quiet {
		p.out = p.f.Output(os.Stdout, view.Options{})
	} else {
		p.out = cli.Through(watchlog.NewPrinter(os.Stdout, watchOptions(p.f, title)))
	}
	return p.f.DrawWatch(&p.out, title, p.kernel())
}

// kernel is what a record was made on; "" where it does not say.
func (p *player) kernel() string {
	if p.about.Kernel == "" {
		return ""
	}
	return "Linux " + p.about.Kernel
}

// draw has the pictures made that were asked for; they are of one scenario, and of its last run.
func (p *player) draw(o view.Options) error {
	if p.drawn {
		return p.f.Refuse("a record of several scenarios, as of a tour: a picture is of one", "mermaid", "svg", "html")
	}
	p.drawn = true
	return p.f.Draw(&p.out, o, p.kernel())
}

// next shows an event, when it is time for it.
func (p *player) next(ctx context.Context, e timeline.Event) error {
	switch b := e.Body.(type) {
	case *timeline.Begin:
		if err := p.turn(b.Scenario); err != nil {
			return err
		}
	case *timeline.Summary:
		if err := p.turn(b.Scenario); err != nil {
			return err
		}
		if !b.OK {
			p.failed = fmt.Errorf("this run was not in order: %s: %s", b.Scenario, b.Why)
		}
		defer p.out.View.Flush()
	case *timeline.Coverage:
		if err := p.turn(p.about.Title); err != nil {
			return err
		}
	}
	if p.out.View == nil {
		if err := p.turn(""); err != nil {
			return err
		}
	}
	if err := p.wait(ctx, e); err != nil {
		return err
	}
	p.out.Replay(e)
	if err := p.out.View.Err(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// wait is for --pace and --step, before each call that is shown.
func (p *player) wait(ctx context.Context, e timeline.Event) error {
	next := timeline.Entering(e)
	if next == nil || next.Aside && !p.cfg.All || p.cfg.Pace == 0 && p.cfg.Step == nil {
		return nil
	}
	p.out.View.Flush()
	if p.cfg.Pace > 0 {
		select {
		case <-time.After(p.cfg.Pace):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if p.cfg.Step == nil {
		return nil
	}
	return p.cfg.Step(ctx, e.Side, view.NewWords().Of(timeline.Event{Body: next}))
}
