package cli

import (
	"fmt"
	"os"

	"socklife/internal/record"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Keep has the events of a run written to a file, too, if that was asked for: those of these sides, to be shown again
// as o says. Output.Done completes the file.
func (f *Flags) Keep(out *Output, o view.Options, sides ...timeline.Side) error {
	if f.Record == "" {
		return nil
	}
	w, err := record.Create(f.Record, f.Overwrite, record.Here(timeline.Record{
		Sides: sides, Title: o.Title, Lesson: o.Lesson, Ref: o.Ref, ClientLabel: o.ClientLabel, ServerLabel: o.ServerLabel,
		ClientSource: o.ClientSource, ServerSource: o.ServerSource, Alone: o.Alone, Many: o.ManyConns,
		Segments: f.Wire.segments(),
	}, Version(f.Set.Name()), os.Args[1:]))
	if err != nil {
		return fmt.Errorf("--record %s: %w", f.Record, err)
	}
	out.record, out.recordName = w, f.Record
	out.Log.Detail()
	out.Log.AddSink(w)
	return nil
}

// Recorded are the options that a record has kept.
func Recorded(r *timeline.Record) view.Options {
	return view.Options{
		Title: r.Title, Lesson: r.Lesson, Ref: r.Ref, ClientLabel: r.ClientLabel, ServerLabel: r.ServerLabel,
		ClientSource: r.ClientSource, ServerSource: r.ServerSource, Alone: r.Alone, ManyConns: r.Many,
		Recorded: true, Infer: !r.Segments,
	}
}

// forget has nothing kept of a run that will not take place.
func (o *Output) forget() {
	if o.record != nil {
		o.record.Discard()
		o.record = nil
	}
}

// keep completes the record; of what was a mistake on the command line there is none.
func (o Output) keep(ended error) error {
	switch {
	case o.record == nil:
		return ended
	case Status(ended) == ExitUsage:
		o.record.Discard()
		return ended
	}
	err := o.record.Commit()
	if err == nil {
		return ended
	}
	return notKept(ended, fmt.Errorf("--record %s: %w", o.recordName, err))
}
