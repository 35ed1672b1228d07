package cli

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"socklife/internal/ladder"
	"socklife/internal/outfile"
	"socklife/internal/page"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Pictures is a sink that keeps the events of a run, and makes what was asked for of all of them when it has ended. Of
// several runs, one after the other, it is the last, with what came before the first: a server's listener.
type Pictures struct {
	head   ladder.Head
	events []timeline.Event
	before int  // how many of the events came before the first run
	began  bool // there was a run
	wanted []picture
}

// picture is one that was asked for.
type picture struct {
	flag string
	to   io.Writer
	file *outfile.File
	draw func(io.Writer, *ladder.Ladder) error
}

// Pictures has the pictures that the flags ask for made of the events of out. They are complete, or not there, when
// End has returned.
func (f *Flags) Pictures(out Output, o view.Options) (*Pictures, error) {
	p := &Pictures{head: ladder.Head{Title: o.Title, Lesson: o.Lesson, Ref: o.Ref, ClientLabel: o.ClientLabel, ServerLabel: o.ServerLabel}}
	if f.HTML != "" {
		err := p.file("--html", f.HTML, f.Overwrite, func(w io.Writer, l *ladder.Ladder) error { return page.Write(w, l, kernel()) })
		if err != nil {
			return nil, err
		}
	}
	if len(p.wanted) > 0 {
		out.Log.AddSink(p)
	}
	return p, nil
}

// file has a picture written to a file, which is made now: a run is not played for one that cannot be.
func (p *Pictures) file(flag, path string, overwrite bool, draw func(io.Writer, *ladder.Ladder) error) error {
	file, err := outfile.Create(path, overwrite)
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, path, err)
	}
	p.wanted = append(p.wanted, picture{flag + " " + path, file, file, draw})
	return nil
}

// Event keeps an event.
func (p *Pictures) Event(e timeline.Event) {
	if _, is := e.Body.(*timeline.Begin); is {
		if !p.began {
			p.began, p.before = true, len(p.events)
		}
		p.events = p.events[:p.before]
	}
	p.events = append(p.events, e)
}

// End writes the pictures, if there was a run. It is called when the log is closed, with the error that the run ended
// with, and returns that or, if there is none, the one for which they could not be written.
func (p *Pictures) End(ended error) error {
	if err := p.draw(); err != nil && (ended == nil || errors.Is(ended, ErrInterrupted)) {
		return err
	}
	return ended
}

func (p *Pictures) draw() error {
	defer p.Discard()
	if !p.began {
		return nil
	}
	l := ladder.Of(p.head, p.events)
	for _, w := range p.wanted {
		err := w.draw(w.to, l)
		if err == nil && w.file != nil {
			err = w.file.Commit()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.flag, err)
		}
	}
	return nil
}

// Discard leaves nothing behind of what was not completed.
func (p *Pictures) Discard() {
	for _, w := range p.wanted {
		if w.file != nil {
			w.file.Discard()
		}
	}
}

// kernel is the one that this program runs on: Linux 6.18.2.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
