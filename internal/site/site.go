package site

import (
	"io"
	"slices"
	"strings"
	"time"

	"socklife/internal/figure"
	"socklife/internal/ladder"
	"socklife/internal/outfile"
	"socklife/internal/page"
	"socklife/internal/timeline"
)

// Site is a folder of pages that is being made.
type Site struct {
	folder *folder
	kernel string
	runs   []Run
}

// Run is a scenario of the tour, as the index has it.
type Run struct {
	Name      string // half-close, or half-close --wire
	Group     string // Opening
	Lesson    string // what it shows
	OK        bool
	Says      string // how it went: 13 checks, all met
	NotPlayed bool   // Says is why
}

// File is the name of its page, "" where it was not played.
func (r Run) File() string {
	if r.NotPlayed {
		return ""
	}
	return strings.ReplaceAll(r.Name, " --", "-") + ".html"
}

// New begins a folder of that name. kernel is what the tour is on.
func New(name, kernel string) (*Site, error) {
	folder, err := newFolder(name)
	if err != nil {
		return nil, err
	}
	return &Site{folder: folder, kernel: kernel}, nil
}

// Add makes the page of a run, of its events.
func (s *Site) Add(r Run, head ladder.Head, events []timeline.Event) error {
	s.runs = append(s.runs, r)
	if r.NotPlayed {
		return nil
	}
	return s.folder.write(r.File(), func(f *outfile.File) error { return page.Write(f, ladder.Of(head, events), s.kernel) })
}

// Done makes the diagram and the index, and gives the folder its name.
func (s *Site) Done(table []*timeline.Coverage, measured string, now time.Time) error {
	err := s.folder.write(statesFile, func(f *outfile.File) error { return figure.Measured(f, measured, table) })
	if err != nil {
		return err
	}
	if err := s.folder.write("index.html", func(f *outfile.File) error { return s.index(f, table, measured, now) }); err != nil {
		return err
	}
	return s.folder.commit()
}

// Discard leaves nothing behind of a folder that is not done.
func (s *Site) Discard() { s.folder.discard() }

const statesFile = "states.svg"

// index writes the page that leads to the others.
func (s *Site) index(w io.Writer, table []*timeline.Coverage, measured string, now time.Time) error {
	data := index{Kernel: s.kernel, When: now.UTC().Format("2006-01-02 15:04 MST"), Measured: measured, States: statesFile, Style: style, StyleHash: styleHash}
	for _, r := range s.runs {
		i := slices.IndexFunc(data.Groups, func(g group) bool { return g.Name == r.Group })
		if i < 0 {
			i = len(data.Groups)
			data.Groups = append(data.Groups, group{Name: r.Group})
		}
		data.Groups[i].Runs = append(data.Groups[i].Runs, r)
	}
	data.Seen = seen(table)
	return template.Execute(w, data)
}
