package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/lesson"
	"socklife/internal/record"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Output is where the events of a run go.
type Output struct {
	Log  *timeline.Log
	View view.View // of Log

	terminal   bool           // somebody is looking on
	record     *record.Writer // of the events too; nil if they are not kept
	recordName string

	screen *screen // where the user is asked before each step; nil if not

	pictures *Pictures  // that are made of the run; nil: none
	watched  *watchPage // likewise of a watch

	countdown func(what string, left time.Duration) // shows how long something still takes; nil if nobody is looking on
}

// Begin shows what can be said before anything has happened.
func (o Output) Begin() {
	if t, ok := o.View.(*view.Terminal); ok {
		t.Begin()
	}
}

// Flush hands over what is known so far.
func (o Output) Flush() {
	o.Log.Flush()
	o.View.Flush()
}

// head shows what stands above the first event.
func (o Output) head() {
	if t, ok := o.View.(*view.Terminal); ok {
		t.Head()
	}
}

// Done hands over what is left. It returns the error that the run ended with; or else, if that is no failure, the one
// for which not all could be written.
func (o Output) Done(ended error) error {
	o.Log.Close()
	o.View.Flush()
	ended = o.keep(ended)
	if err := o.pictures.done(ended); err != nil {
		return err
	}
	if err := o.watched.done(ended); err != nil {
		return err
	}
	lost := o.View.Err()
	switch status := Status(ended); {
	case lost == nil:
		return ended
	case status == ExitOK || status == ExitInterrupted:
		return lost
	case status == ExitFailed && !errors.Is(lost, unix.EPIPE): // who has closed the pipe knows what is not shown
		return fmt.Errorf("%w; and not all of it was shown: %w", ended, lost)
	}
	return ended
}

// Silent drops all events.
func Silent() Output { return output(silence{}) }

// Through has events go to a view.
func Through(v view.View) Output { return output(v) }

func output(v view.View) Output { return Output{Log: timeline.New(v), View: v} }

// silence is a view of nothing.
type silence struct{}

func (silence) Event(timeline.Event) {}
func (silence) Flush()               {}
func (silence) Err() error           { return nil }

// Output is what the flags say of f: JSON Lines, nothing, or the timeline on a terminal.
func (f *Flags) Output(w *os.File, o view.Options) Output {
	switch {
	case f.JSON:
		return output(view.NewJSONLines(w))
	case f.Quiet, f.Mermaid:
		return Silent()
	}
	of := view.For(w, f.Color)
	o.Color, o.Width, o.ASCII, o.Wall, o.All = of.Color, of.Width, of.ASCII, f.Clock == "wall", f.All
	if !o.Recorded {
		o.Infer = !f.Wire.segments()
	}
	if !view.IsTerminal(w) || f.Step || f.Pace > 0 {
		o.Hint = ""
	}
	if !view.IsTerminal(w) {
		o.Words = lesson.Words{} // for who reads the run while it goes on
		return output(view.New(w, o))
	}
	s := &screen{f: w}
	out := output(view.New(s, o))
	out.terminal = true
	if f.Step {
		out.screen = s
	} else if os.Getenv("TERM") != "dumb" {
		out.countdown = s.Countdown
	}
	return out
}

// Narration is Output for the plain server and client: a line an event.
func (f *Flags) Narration(w *os.File, own timeline.Side) Output { return f.narration(w, w, own) }

// narration is Narration through another writer of w's.
func (f *Flags) narration(w *os.File, through io.Writer, own timeline.Side) Output {
	if f.JSON || f.Quiet {
		return f.Output(w, view.Options{})
	}
	o := view.For(w, f.Color)
	if o.Own = own; !view.IsTerminal(w) {
		o.Width = 0 // for programs and for grep: a line an event
	}
	return output(view.NewNarrator(through, o))
}

// Say writes a line, which on a terminal goes on below where it has no room.
func Say(f *os.File, line string) {
	if view.IsTerminal(f) {
		line = strings.Join(view.Wrap(line, view.Width(f), 2), "\n")
	}
	fmt.Fprintln(f, line)
}

// Print writes an answer to f, all at once, and tells whether it could be written.
func Print(f *os.File, answer func(io.Writer) error) error {
	var b bytes.Buffer
	if err := answer(&b); err != nil {
		return err
	}
	_, err := f.Write(b.Bytes())
	return err
}
