package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"socklife/internal/cli"
	"socklife/internal/figure"
	"socklife/internal/outfile"
	"socklife/internal/site"
	"socklife/internal/timeline"
	"socklife/internal/tour"
	"socklife/internal/view"
)

// drawDiagram takes the tour in silence, and draws the state diagram of what was seen: as a table, in Mermaid, or into
// files.
func drawDiagram(ctx context.Context, f *cli.Flags) error {
	if err := f.Refuse("the diagram, which is of every scenario", append(notForTheTour, "record")...); err != nil {
		return err
	}
	if err := noRules(f, "the diagram"); err != nil {
		return err
	}
	files, err := drawings(f)
	if err != nil {
		return err
	}
	defer files.discard()
	out, coverage := cli.Silent(), tour.NewCoverage()
	out.Log.AddSink(coverage)
	cfg, p := tourOf(f, out, coverage), newProgress(!view.IsTerminal(os.Stderr) || f.Quiet, os.Stderr)
	cfg.Begin, cfg.End = p.waits, p.waited
	result := tour.Run(ctx, cfg)
	if err := out.Done(nil); err != nil {
		return err
	}
	if result.Interrupted {
		return cli.Verdict("diagram", result)
	}
	return cmp.Or(showDiagram(f, coverage.Table(), files), cli.Verdict("diagram", result))
}

// drawing is a file that the diagram is drawn into.
type drawing struct {
	flag string
	file *outfile.File
	draw func(w io.Writer, measured string, table []*timeline.Coverage) error
}

type drawingFiles []drawing

// drawings are the files that the flags name. They are made now: no tour is taken for one that cannot be.
func drawings(f *cli.Flags) (files drawingFiles, err error) {
	for _, d := range []struct {
		flag, path string
		draw       func(io.Writer, string, []*timeline.Coverage) error
	}{{"--svg", f.SVG, figure.Measured}, {"--html", f.HTML, site.Diagram}} {
		if d.path == "" {
			continue
		}
		file, err := outfile.Create(d.path, f.Overwrite)
		if err != nil {
			files.discard()
			return nil, fmt.Errorf("%s %s: %w", d.flag, d.path, err)
		}
		files = append(files, drawing{d.flag + " " + d.path, file, d.draw})
	}
	return files, nil
}

// discard leaves nothing behind of what was not completed.
func (files drawingFiles) discard() {
	for _, d := range files {
		d.file.Discard()
	}
}

// showDiagram shows what was seen as it was asked for.
func showDiagram(f *cli.Flags, table []*timeline.Coverage, files drawingFiles) error {
	for _, d := range files {
		err := d.draw(d.file, measuredOn(f), table)
		if err == nil {
			err = d.file.Commit()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.flag, err)
		}
	}
	return cli.Print(os.Stdout, func(w io.Writer) error {
		switch {
		case f.Quiet:
			return nil
		case f.Mermaid:
			return figure.MeasuredMermaid(w, table)
		case f.JSON:
			return eachAsJSON(w, table)
		}
		style := view.For(os.Stdout, f.Color)
		for _, line := range view.TableLines(asTable(measuredOn(f), table), style) {
			fmt.Fprintln(w, line)
		}
		return nil
	})
}

// eachAsJSON writes the table as the events that a tour ends with.
func eachAsJSON(w io.Writer, table []*timeline.Coverage) error {
	log := timeline.New(view.NewJSONLines(w))
	for _, row := range table {
		log.Add(timeline.Client, time.Time{}, row)
	}
	log.Close()
	return nil
}

// asTable is what was seen of the transitions, for a terminal.
func asTable(on string, table []*timeline.Coverage) *timeline.Table {
	t := &timeline.Table{Title: "TCP's transitions as measured: " + on, Head: []string{"no.", "transition", "what brought it about (in which scenario)", "seen by"}}
	for _, c := range table {
		if c.State != 0 {
			continue
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(len(t.Rows) + 1), fmt.Sprintf("%s → %s", c.From, c.To), figure.Says(c), c.Source})
	}
	return t
}

// measuredOn says on which kernel, and how closely that was looked at.
func measuredOn(f *cli.Flags) string {
	how := "a tour"
	for _, flag := range []struct {
		on   bool
		name string
	}{{f.Wire.On, " --wire"}, {f.Trace, " --trace"}} {
		if flag.on {
			how += flag.name
		}
	}
	return fmt.Sprintf("%s, %s, %s of %s", cli.Kernel(), runtime.GOARCH, how, time.Now().Format(time.DateOnly))
}

// waits and waited show on a terminal which scenario is played.
func (p progress) waits(s tour.Stop) {
	if !p.quiet {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%3d/%d  %s ...", s.N, s.Of, s.Name())
	}
}

func (p progress) waited(s tour.Stop) {
	if !p.quiet {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
