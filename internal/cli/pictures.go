package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"

	"socklife/internal/figure"
	"socklife/internal/ladder"
	"socklife/internal/outfile"
	"socklife/internal/page"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Pictures is a sink that keeps the events of a run, and makes what was asked for of all of them when it has ended.
type Pictures struct {
	head   ladder.Head
	events []timeline.Event
	before int  // how many of them came before the first run
	began  bool // there was a run
	wanted []picture
}

// picture is one that was asked for.
type picture struct {
	flag string
	to   io.Writer
	file *outfile.File // nil where it goes to an output that is open
	draw func(io.Writer, *ladder.Ladder) error
}

// checkPictures refuses what has no meaning.
func (f *Flags) checkPictures() error {
	switch {
	case f.Mermaid && (f.JSON || f.Quiet):
		return Usagef("--mermaid, --json and --quiet each say what is printed: want one of them")
	case f.Set.Changed("svg") && f.SVG == "":
		return Usagef("--svg '': want the name of a file")
	case f.SVG == "-":
		return Usagef("--svg -: a figure is written to a file: want its name")
	case f.Set.Changed("html") && f.HTML == "":
		return Usagef("--html '': want the name of a file")
	case f.HTML == "-":
		return Usagef("--html -: a page is written to a file: want its name")
	case f.sameFile() != "":
		return Usagef("%s: one file cannot be two things", f.sameFile())
	case f.Overwrite && f.SVG == "" && f.HTML == "" && f.Record == "" && (f.Wire.Pcap == "" || f.Wire.PcapToOutput()):
		return Usagef("--overwrite is about a file that is written: it goes with --record, --svg, --html or --pcap FILE")
	}
	return nil
}

// sameFile are the flags that name a file which another has named; "" if there is none.
func (f *Flags) sameFile() string {
	by := map[string]string{}
	for _, w := range []struct{ flag, path string }{{"--record", f.Record}, {"--svg", f.SVG}, {"--html", f.HTML}, {"--pcap", f.Wire.Pcap}} {
		if w.path == "" || w.path == "-" {
			continue
		}
		path := filepath.Clean(w.path)
		if by[path] != "" {
			return fmt.Sprintf("%s and %s %s", by[path], w.flag, w.path)
		}
		by[path] = w.flag
	}
	return ""
}

// Draw has the pictures that the flags ask for made of what comes to out, which happened on that kernel. They are
// complete, or not there, when it is done.
func (f *Flags) Draw(out *Output, o view.Options, kernel string) (err error) {
	defer func() {
		if err != nil {
			out.forget()
		}
	}()
	p := &Pictures{head: ladder.Head{Title: o.Title, Lesson: o.Lesson, Ref: o.Ref, ClientLabel: o.ClientLabel, ServerLabel: o.ServerLabel}}
	with := figure.Options{All: f.All}
	if f.Mermaid {
		p.wanted = append(p.wanted, picture{"--mermaid", f.Wire.Timeline(), nil, func(w io.Writer, l *ladder.Ladder) error { return figure.Mermaid(w, l, with) }})
	}
	if f.SVG != "" {
		err := p.file("--svg", f.SVG, f.Overwrite, func(w io.Writer, l *ladder.Ladder) error { return figure.SVG(w, l, with) })
		if err != nil {
			return err
		}
	}
	if f.HTML != "" {
		err := p.file("--html", f.HTML, f.Overwrite, func(w io.Writer, l *ladder.Ladder) error { return page.Write(w, l, kernel) })
		if err != nil {
			p.discard()
			return err
		}
	}
	if len(p.wanted) > 0 {
		out.Log.Detail()
		out.pictures = p
		out.Log.AddSink(p)
	}
	return nil
}

// Replay shows an event of a record, which comes from no log.
func (o Output) Replay(e timeline.Event) {
	o.View.Event(e)
	if o.pictures != nil {
		o.pictures.Event(e)
	}
	if o.watched != nil {
		o.watched.Event(e)
	}
}

// file has a picture written to a file, which is made now: no run is played for one that cannot be.
func (p *Pictures) file(flag, path string, overwrite bool, draw func(io.Writer, *ladder.Ladder) error) error {
	file, err := outfile.Create(path, overwrite)
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, path, err)
	}
	p.wanted = append(p.wanted, picture{flag + " " + path, file, file, draw})
	return nil
}

// Event keeps an event. Of several runs, as a record may have, it is the last, with what came before the first: a
// server's listener.
func (p *Pictures) Event(e timeline.Event) {
	if _, is := e.Body.(*timeline.Begin); is {
		if !p.began {
			p.began, p.before = true, len(p.events)
		}
		p.events = p.events[:p.before]
	}
	p.events = append(p.events, e)
}

// done draws the run, now that it has ended so: a failed one too, but none that did not take place.
func (p *Pictures) done(ended error) error {
	if p == nil {
		return nil
	}
	defer p.discard()
	status, changed := Status(ended), errors.As(ended, new(stage.Changed))
	if !p.began || status == ExitUsage || status == ExitUnsupported && !changed {
		return nil
	}
	l := ladder.Of(p.head, p.events)
	for _, w := range p.wanted {
		err := w.draw(w.to, l)
		if err == nil && w.file != nil {
			err = w.file.Commit()
		}
		if err != nil {
			return notKept(ended, fmt.Errorf("%s: %w", w.flag, err))
		}
	}
	return nil
}

// notKept is the error of a run that has ended so, and of which something was to be kept that was not.
func notKept(ended, err error) error {
	if status := Status(ended); status == ExitOK || status == ExitInterrupted {
		return err
	}
	return errors.Join(ended, err)
}

// discard leaves nothing behind of what was not completed.
func (p *Pictures) discard() {
	for _, w := range p.wanted {
		if w.file != nil {
			w.file.Discard()
		}
	}
}

// Kernel is the one that this program runs on: Linux 6.18.2.
func Kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
