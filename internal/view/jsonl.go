package view

import (
	"io"
	"sync"

	"socklife/internal/timeline"
)

// JSONLines is a sink that writes each event as one line of JSON; docs/events.md has the fields.
type JSONLines struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewJSONLines returns a sink that writes to w, one Write a line.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// Event writes one line. After an error it writes nothing more.
func (j *JSONLines) Event(e timeline.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return
	}
	line, err := e.MarshalJSON()
	if err == nil {
		_, err = j.w.Write(append(line, '\n'))
	}
	j.err = err
}

// Flush does nothing: no line is kept back.
func (j *JSONLines) Flush() {}

// Err is the first error of a write, or nil.
func (j *JSONLines) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
