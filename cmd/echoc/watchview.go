package main

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"socklife/internal/board"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/internal/watchlog"
)

// watchScreen is a view for somebody at a terminal: the table stands still, and is drawn anew, with the last news below
// it.
type watchScreen struct {
	watchlog.Lines
	o     board.Options
	drawn int // lines of the table that stand on the terminal

	mu     sync.Mutex
	recent []view.Line // the last changes
	fresh  bool        // there are some that were not drawn
	note   string      // what there is to say of the watching itself
	over   bool        // what comes now is the summary
	err    error
}

// toEnd clears a line from where the cursor is.
const toEnd = "\x1b[K"

// kept is how much of the news is kept: no terminal has as many lines.
const kept = 500

func newWatchScreen(o board.Options) *watchScreen {
	v := &watchScreen{o: o}
	v.Table = func(*survey.Turn) {} // which is drawn as the looks are taken, and not only the first
	v.News = func(l view.Line) {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch {
		case v.over && len(l.Parts) == 0:
			v.print("\n")
		case v.over:
			v.print(strings.Join(view.Lines([]view.Line{l}, v.o.Options), "\n") + "\n")
		default:
			v.recent, v.fresh = append(v.recent, l), true
			if n := len(v.recent); n > 2*kept {
				v.recent = append(v.recent[:0], v.recent[n-kept:]...)
			}
		}
	}
	v.Note = func(text string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.note, v.fresh = text, true
	}
	return v
}

// Event takes the next event.
func (v *watchScreen) Event(e timeline.Event) {
	if _, is := e.Body.(*timeline.Tally); is {
		v.mu.Lock()
		v.over = true
		v.mu.Unlock()
	}
	v.Lines.Event(e)
}

// Flush does nothing: the table is drawn when there is one.
func (v *watchScreen) Flush() {}

// Err is the first error of a write.
func (v *watchScreen) Err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

// draw shows how it is now, unless that is as it was.
func (v *watchScreen) draw(t *survey.Turn) {
	o := v.o
	v.mu.Lock()
	defer v.mu.Unlock()
	if t.Same && !v.fresh {
		return
	}
	v.fresh, o.Note = false, v.note
	o.Width, o.Height = view.Width(os.Stdout), view.Height(os.Stdout)-1
	if o.Height < 1 {
		o.Height = 24
	}
	lines := board.Table(t, o)
	var below []string
	for i := len(v.recent) - 1; i >= 0; i-- { // the last ones, as far as there is room
		own := view.Lines(v.recent[i:i+1], o.Options)
		if len(lines)+1+len(own)+len(below) > o.Height {
			break
		}
		below = append(own, below...)
	}
	if len(below) > 0 {
		lines = append(append(lines, ""), below...)
	}
	// Line after line, and what is left below: of a screen that is cleared from its top terminals keep a copy above.
	up := ""
	if v.drawn > 0 {
		up = fmt.Sprintf("\x1b[%dA\r", v.drawn)
	}
	v.drawn = len(lines)
	v.print(up + strings.Join(lines, toEnd+"\n") + toEnd + "\n" + "\x1b[J")
}

func (v *watchScreen) print(text string) {
	if v.err == nil {
		_, v.err = os.Stdout.WriteString(text)
	}
}
