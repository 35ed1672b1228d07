// Package record keeps timelines in files and reads them again: of one terminal, or of both, which it makes one
// timeline of.
package record

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/outfile"
	"socklife/internal/timeline"
)

// Writer is a sink that writes a record: a line that says what it is of, then one for each event.
type Writer struct {
	file   *outfile.File
	w      *bufio.Writer
	events int
	err    error // the first
}

// Create begins a record. Nobody finds the file before Commit.
func Create(path string, overwrite bool, about *timeline.Record) (*Writer, error) {
	file, err := outfile.Create(path, overwrite)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, w: bufio.NewWriterSize(file, 1<<16)}
	w.line(timeline.Event{Time: time.Now(), Side: about.Sides[0], Body: about})
	return w, nil
}

// Event writes an event.
func (w *Writer) Event(e timeline.Event) {
	w.events++
	w.line(e)
}

func (w *Writer) line(e timeline.Event) {
	if w.err != nil {
		return
	}
	line, err := e.MarshalJSON()
	if err == nil {
		_, err = w.w.Write(append(line, '\n'))
	}
	w.err = err
}

// Commit completes the record, of which there is nothing if it could not be written, or if nothing happened.
func (w *Writer) Commit() error {
	defer w.file.Discard()
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err != nil || w.events == 0 {
		return w.err
	}
	return w.file.Commit()
}

// Discard leaves nothing of the record.
func (w *Writer) Discard() { w.file.Discard() }

// Here completes what a record says with where it is made, and how it was asked for.
func Here(about timeline.Record, version string, args []string) *timeline.Record {
	about.Format, about.Clock = timeline.RecordFormat, "CLOCK_REALTIME"
	about.Program, about.Version, _ = strings.Cut(version, " ")
	about.Args = slices.Clone(args)
	if about.Args == nil {
		about.Args = []string{}
	}
	var host unix.Utsname
	if unix.Uname(&host) == nil {
		about.Kernel, about.Machine = unix.ByteSliceToString(host.Release[:]), unix.ByteSliceToString(host.Machine[:])
	}
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		about.Boot = strings.TrimSpace(string(boot))
	}
	return &about
}
