package watchlog

import (
	"bytes"
	"io"
	"sync"
	"time"

	"socklife/internal/board"
	"socklife/internal/survey"
	"socklife/internal/view"
)

// Printer is a view of a watch that goes on downwards: for who reads it from a pipe or a file, or once.
type Printer struct {
	Lines

	mu    sync.Mutex
	to    io.Writer
	room  bytes.Buffer
	timer *time.Timer // that writes what is in room; nil: it is empty
	err   error
}

// NewPrinter prints to w.
func NewPrinter(w io.Writer, o board.Options) *Printer {
	p := &Printer{to: w}
	p.Table = func(t *survey.Turn) { p.put(board.Table(t, o)) }
	p.News = func(l view.Line) {
		if len(l.Parts) == 0 {
			p.put([]string{""})
			return
		}
		p.put(view.Lines([]view.Line{l}, o.Options))
	}
	return p
}

// soon is when what has come is written at the latest, and much is how much of it is not waited for.
const (
	soon = 50 * time.Millisecond
	much = 1 << 16
)

func (p *Printer) put(lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range lines {
		p.room.WriteString(l + "\n")
	}
	if p.room.Len() > much {
		p.write()
	} else if p.timer == nil {
		p.timer = time.AfterFunc(soon, p.Flush)
	}
}

// Flush writes what has come.
func (p *Printer) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write()
}

func (p *Printer) write() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	if p.err == nil && p.room.Len() > 0 {
		_, p.err = p.to.Write(p.room.Bytes())
	}
	p.room.Reset()
}

// Err is the first error of a write.
func (p *Printer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
