package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"socklife/internal/cli"
	"socklife/internal/contrast"
	"socklife/internal/record"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/internal/view"
)

// oneRun is one of two runs that are compared.
type oneRun struct {
	name   string // as it was asked for: linger-off --linger 0
	about  view.Options
	events []timeline.Event
}

// compare plays two runs, or reads them, and shows both, with what the other does not have marked.
func compare(ctx context.Context, f *cli.Flags, words []string) error {
	if err := comparable(f); err != nil {
		return err
	}
	pair, err := runsToCompare(f, words)
	if err != nil {
		return err
	}
	var runs [2]oneRun
	for i, one := range pair {
		if runs[i], err = one.play(ctx); err != nil {
			return err
		}
	}
	return cli.Print(os.Stdout, func(w io.Writer) error { return showBoth(w, f, runs) })
}

// toPlay is a run that was asked for: a scenario, with flags of its own; or a record of one.
type toPlay struct {
	name string
	f    *cli.Flags
	sc   *stage.Scenario // nil of a record

	lesson string // what stands above it, where that is not what the scenario shows
}

// comparable refuses what has no sense where two runs are shown one after the other.
func comparable(f *cli.Flags) error {
	return f.Refuse("echoc compare, which shows two runs one after the other", "step", "pace", "json", "quiet", "pcap", "pcap-both", "clock", "bind", "record", "overwrite", "mermaid", "svg", "html")
}

// runsToCompare are two scenarios; or one, and the same with the flags after --.
func runsToCompare(f *cli.Flags, words []string) (pair [2]toPlay, err error) {
	dash := f.Set.ArgsLenAtDash()
	names, more := words, []string(nil)
	if dash > 0 {
		names, more = words[:dash-1], words[dash-1:]
	}
	switch {
	case len(names) == 2 && dash <= 0:
	case len(names) == 1 && len(more) > 0:
		names = []string{names[0], names[0]}
	default:
		return pair, cli.Usagef("compare what with what? echoc compare SCENARIO SCENARIO (or files of --record), or echoc compare SCENARIO -- FLAG...")
	}
	for i, name := range names {
		pair[i] = toPlay{name: name, f: f}
		if isRecord(name) && len(more) == 0 {
			continue
		}
		if pair[i].sc, err = cli.Scenario(name); err != nil {
			return pair, err
		}
	}
	if len(more) > 0 {
		pair[1].f, pair[1].name, err = withFlags(names[0], more)
		pair[1].lesson = "the same, with " + strings.Join(more, " ")
	}
	return pair, err
}

// withFlags are the flags before the -- and more behind it, and what that run is called.
func withFlags(name string, more []string) (f *cli.Flags, called string, err error) {
	f = cli.NewFlags("echoc")
	f.Wire.AddTo(f.In(cli.GroupWire))
	before := os.Args[1 : 1+slices.Index(os.Args[1:], "--")]
	if err := f.Parse(slices.Concat(before, more)); err != nil {
		return nil, "", err
	}
	if n := f.Set.NArg(); n > 2 {
		return nil, "", cli.Usagef("after -- come the flags of the second run: %q is none", f.Set.Arg(2))
	}
	if f.Wire.On && !slices.Contains(before, "--wire") {
		return nil, "", cli.Usagef("--wire is for both runs or for none: write it before the --")
	}
	return f, name + " " + strings.Join(more, " "), comparable(f)
}

// isRecord tells the name of a file from that of a scenario, which has no dot and no slash.
func isRecord(name string) bool { return strings.ContainsAny(name, "./") }

// recorded is the last run of a record.
func (p toPlay) recorded() (oneRun, error) {
	run := oneRun{name: p.name}
	file, err := os.Open(p.name)
	if err != nil {
		return run, err
	}
	defer file.Close()
	r, err := record.NewReader(p.name, file)
	if err != nil {
		return run, err
	}
	run.about = cli.Recorded(r.About)
	run.about.Recorded = true
	for {
		switch e, err := r.Next(); {
		case errors.Is(err, io.EOF) && len(run.events) > 0:
			return run, nil
		case errors.Is(err, io.EOF):
			return run, fmt.Errorf("%s: there is no run in it", p.name)
		case err != nil:
			return run, err
		default:
			if _, begins := e.Body.(*timeline.Begin); begins {
				run.events = nil
			}
			run.Event(e)
		}
	}
}

// play plays a run in silence, or reads it.
func (p toPlay) play(ctx context.Context) (oneRun, error) {
	if p.sc == nil {
		return p.recorded()
	}
	run := oneRun{name: p.name, about: view.Options{Title: p.name, Lesson: cmp.Or(p.lesson, p.sc.Lesson), Ref: p.sc.Source, ManyConns: p.sc.Many}}
	if p.f.Trace {
		run.about.ClientSource, run.about.ServerSource = "tracepoint", "tracepoint"
	}
	out := cli.Silent()
	out.Log.AddSink(&run)
	cfg := p.f.Config(out)
	cfg.Addr = netip.AddrPortFrom(cli.Loopback(p.f.IPv6), 0)
	ctx, finish, err := onWire(ctx, p.f, p.sc, out, &cfg, nil)
	if err != nil {
		return run, err
	}
	result := stage.Both(ctx, p.sc, cfg)
	err = out.Done(finish())
	switch {
	case err != nil:
		return run, err
	case errors.As(result.Err, new(stage.Changed)): // that is what is to be seen
	case result.Interrupted || len(run.events) == 0 || unsupported.In(result.Err) != nil:
		return run, cli.Verdict(p.name, result) // there is nothing to compare
	}
	return run, nil
}

// Event is a timeline.Sink.
func (r *oneRun) Event(e timeline.Event) { r.events = append(r.events, e) }

// showBoth shows the two timelines, and then in what they differ.
func showBoth(w io.Writer, f *cli.Flags, runs [2]oneRun) error {
	var differs [2]contrast.Differs
	differs[0], differs[1] = contrast.Of(runs[0].events, runs[1].events)
	style := view.For(os.Stdout, f.Color)
	printWrapped(w, "Two runs. * marks what the other one does not have; ports, descriptors, times, and how data is cut into pieces are not compared.\n", style.Width)
	for i, r := range runs {
		o := r.about
		o.Width, o.Color, o.ASCII, o.All = style.Width, style.Color, style.ASCII, f.All
		o.Differs = func(e timeline.Event) bool { return differs[i][e.Seq] }
		v := view.New(w, o)
		for _, e := range r.events {
			v.Event(e)
		}
		v.Flush()
		fmt.Fprintln(w)
	}
	return outcome(w, style, runs, differs)
}

// outcome is what the runs came to, where that differs, and a line that says how much differs on the way.
func outcome(w io.Writer, style view.Options, runs [2]oneRun, differs [2]contrast.Differs) error {
	table := contrast.Table(runs[0].name, runs[1].name, runs[0].events, runs[1].events, func(e []timeline.Event, side timeline.Side) []string {
		return view.Paths(e, side, style.ASCII)
	})
	if len(table.Rows) > 0 {
		for _, line := range view.TableLines(table, style) {
			fmt.Fprintln(w, line)
		}
		fmt.Fprintln(w)
	}
	for _, r := range runs {
		printWrapped(w, fmt.Sprintf("%s: %s", r.name, contrast.Outcome(r.events)), style.Width)
	}
	if len(differs[0])+len(differs[1]) == 0 {
		printWrapped(w, "Nothing differs but times, ports and descriptors.", style.Width)
	}
	return nil
}

func printWrapped(w io.Writer, says string, width int) {
	for _, line := range view.Wrap(says, width, 2) {
		fmt.Fprintln(w, line)
	}
}
