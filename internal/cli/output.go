package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"

	"socklife/internal/scenario"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Output is where the events of a run go.
type Output struct {
	Log   *timeline.Log
	Sink  timeline.Sink // of Log
	flush func()
	err   func() error
}

// Flush hands over what is known so far.
func (o Output) Flush() {
	o.Log.Flush()
	o.flush()
}

// Done hands over what is left, and tells whether it could be written.
func (o Output) Done() error {
	o.Log.Close()
	o.flush()
	return o.err()
}

// Silent drops all events.
func Silent() Output {
	return output(silence{})
}

func output(v view.View) Output { return Output{timeline.New(v), v, v.Flush, v.Err} }

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
	case f.Quiet:
		return Silent()
	}
	of := view.For(w, f.Color)
	o.Color, o.Width, o.ASCII = of.Color, of.Width, of.ASCII
	if f.Stepping(w) {
		f.Screen = &screen{f: w}
		return output(view.New(f.Screen, o))
	}
	return output(view.New(w, o))
}

// Narration is Output for the plain server and client: a line an event.
func (f *Flags) Narration(w *os.File, own timeline.Side) Output {
	switch {
	case f.JSON:
		return f.Output(w, view.Options{})
	case f.Quiet:
		return Silent()
	}
	o := view.For(w, f.Color)
	o.Own = own
	return output(view.NewNarrator(w, o))
}

// Stepping tells whether the reader is asked before each step: only on a terminal.
func (f *Flags) Stepping(out *os.File) bool {
	return f.Step && view.IsTerminal(out) && !f.JSON && !f.Quiet
}

// Config is how the flags want a scenario run.
func (f *Flags) Config(out *os.File) scenario.Config {
	cfg := scenario.Config{
		Hold: f.Hold, Capture: f.Wire.Capture, AbsoluteSeq: f.Wire.Absolute, Trace: f.Trace, Full: f.Full,
		OnListener: f.Sockets.Apply,
		OnConn:     f.Sockets.Apply,
		Backlog:    f.Sockets.Backlog(),
	}
	if view.IsTerminal(out) && !f.JSON && !f.Quiet {
		cfg.Pace = f.Pace
	}
	if f.Screen != nil && !f.Wire.On {
		cfg.Step = newStepper(os.Stdin, f.Screen).Step
	}
	return cfg
}

// Scenario finds the scenario of that name; its error says which name is near.
func Scenario(name string) (*scenario.Scenario, error) {
	if sc := scenario.Find(name); sc != nil {
		return sc, nil
	}
	if near := scenario.Nearest(name); near != "" {
		return nil, Usagef("unknown scenario %q: did you mean %s? (--list shows them all)", name, near)
	}
	return nil, Usagef("unknown scenario %q: --list shows them all; an address is written HOST:PORT", name)
}

// List writes the scenarios, one line each, by group. On a terminal a line is no wider than that.
func List(f *os.File) {
	width := math.MaxInt
	if view.IsTerminal(f) {
		width = view.Width(f)
	}
	names := 0
	for _, sc := range scenario.All() {
		names = max(names, len(sc.Name))
	}
	for i, g := range scenario.Groups {
		if i > 0 {
			fmt.Fprintln(f)
		}
		fmt.Fprintln(f, g)
		for _, sc := range scenario.All() {
			if sc.Group == g {
				line := fmt.Sprintf("  %-*s  %s", names, sc.Name, lesson(sc))
				fmt.Fprintln(f, strings.Join(Wrap(line, width, names+4), "\n"))
			}
		}
	}
}

// lesson is what a scenario shows, and whether on a wire.
func lesson(sc *scenario.Scenario) string {
	switch {
	case sc.OnlyWire:
		return sc.Lesson + " (--wire)"
	case sc.Wire != nil:
		return sc.Lesson + " (also --wire)"
	}
	return sc.Lesson
}

// Interruptible is a context that ends with ErrInterrupted at Ctrl-C and with ErrTerminated at SIGTERM. The second signal has
// its usual effect.
func Interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if s == unix.SIGTERM {
				cancel(ErrTerminated)
			} else {
				cancel(ErrInterrupted)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// Version is the module's version, as the Go tool recorded it.
func Version(program string) string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return program + " " + version
}
