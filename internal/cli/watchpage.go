package cli

import (
	"fmt"

	"socklife/internal/outfile"
	"socklife/internal/watchpage"
)

// watchPage is the page that is made of a watch, and the file that it is written to.
type watchPage struct {
	*watchpage.Page
	file *outfile.File
	name string
}

// DrawWatch has a page made of a watch, if that was asked for. It is complete, or not there, when out is done.
func (f *Flags) DrawWatch(out *Output, title, kernel string) error {
	if f.HTML == "" {
		return nil
	}
	file, err := outfile.Create(f.HTML, f.Overwrite)
	if err != nil {
		out.forget()
		return fmt.Errorf("--html %s: %w", f.HTML, err)
	}
	out.watched = &watchPage{watchpage.New(title, kernel), file, f.HTML}
	out.Log.AddSink(out.watched)
	return nil
}

// done writes the page of a watch that has ended so: of none that did not take place.
func (p *watchPage) done(ended error) error {
	if p == nil {
		return nil
	}
	defer p.file.Discard()
	if status := Status(ended); status == ExitUsage || status == ExitUnsupported {
		return nil
	}
	err := p.Write(p.file)
	if err == nil {
		err = p.file.Commit()
	}
	if err != nil {
		return notKept(ended, fmt.Errorf("--html %s: %w", p.name, err))
	}
	return nil
}
