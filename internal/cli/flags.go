package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socklife/internal/help"
	"socklife/internal/lab"
	"socklife/internal/view"
)

// Flags are those that both commands have.
type Flags struct {
	Set     *pflag.FlagSet // all of them, once they are parsed
	Sockets *SocketFlags
	Wire    *WireFlags
	groups  map[Group]*pflag.FlagSet

	Color, Clock        string
	JSON, Quiet, Step   bool
	IPv6, Trace, Full   bool
	All                 bool
	Mermaid, Overwrite  bool
	SVG, HTML, Record   string
	Pace, Hold          time.Duration
	List, Help, Version bool
	man                 bool
	completion          string

	lines <-chan string // of standard input, once they are read
}

// NewFlags declares them.
func NewFlags(program string) *Flags {
	f := &Flags{Set: newSet(program), groups: map[Group]*pflag.FlagSet{}, Wire: &WireFlags{}, Sockets: newSocketFlags()}
	f.groups[GroupSockets], f.Wire.among = f.Sockets.set, f
	fs := f.In(GroupModes)
	fs.BoolVarP(&f.List, "list", "l", false, "list the scenarios")
	fs.BoolVarP(&f.Help, "help", "h", false, "print this help")
	fs.BoolVar(&f.Version, "version", false, "print the version")
	fs.BoolVar(&f.man, "man", false, "print the manual page, for man -l -")
	fs.StringVar(&f.completion, "completion", "", "print what this `SHELL` needs to complete words: bash, zsh or fish")
	fs = f.In(GroupOutput)
	fs.StringVar(&f.Color, "color", "auto", "`WHEN` to use colour: auto, always or never")
	fs.StringVar(&f.Clock, "clock", "run", "which `CLOCK` the times are of: run, its beginning, or wall, the time of day")
	fs.BoolVar(&f.JSON, "json", false, "print events as JSON Lines")
	fs.BoolVar(&f.All, "all", false, "show also how both sides agree on the next step of a scenario")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing but errors")
	fs.BoolVar(&f.Mermaid, "mermaid", false, "print the run as diagrams that GitHub draws: a sequence and a state diagram")
	fs.StringVar(&f.SVG, "svg", "", "draw the run as a figure, into this `FILE` (SVG)")
	fs.BoolVar(&f.Trace, "trace", false, "have the kernel tell the transitions (root)")
	f.Wire.AddCapture(fs)
	fs.StringVar(&f.HTML, "html", "", "write a page of the run to this `FILE`, to walk through in a browser; of a tour, a folder of pages")
	fs.StringVar(&f.Record, "record", "", "keep the timeline in this `FILE`, for echoc replay")
	fs.BoolVar(&f.Overwrite, "overwrite", false, "let a FILE that is written take the place of one that is there")
	fs = f.In(GroupPace)
	fs.DurationVar(&f.Pace, "pace", 0, "wait this `DURATION` before each call (on a terminal)")
	fs.BoolVar(&f.Step, "step", false, "wait for Enter before each call (on a terminal)")
	fs.Func("hold", holdUsage[program], f.setHold)
	fs.BoolVar(&f.Full, "full", false, "also wait for what takes a minute: the end of TIME-WAIT")
	fs = f.In(GroupAddresses)
	fs.BoolVarP(&f.IPv6, "ipv6", "6", false, "IPv6: ::1 is this host, and names have such an address")
	return f
}

// holdUsage differs: only one of the commands has a wire.
var holdUsage = map[string]string{
	"echod": "stay this `DURATION` in the state the scenario is about",
	"echoc": "stay this `DURATION` in the scenario's state; with --wire --step also a RULE: hold such segments",
}

// setHold takes a time, or a rule for the wire.
func (f *Flags) setHold(s string) error {
	switch d, err := time.ParseDuration(s); {
	case err == nil && d < 0:
		return errors.New("want a time that is not negative, as 400ms or 5s")
	case err == nil:
		f.Hold = d
		return nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return Usagef("--hold %s: a duration is written 5s or 400ms; a RULE goes with --wire", s)
	}
	if err := f.Wire.addRule(lab.Hold, s); err != nil {
		return Usagef("--hold %s: neither a duration, as 5s or 400ms, nor a RULE: %v", s, err)
	}
	return nil
}

// Parse reads the command line; its error is a Usage.
func (f *Flags) Parse(args []string) error {
	f.join()
	if err := f.Set.Parse(args); err != nil {
		if said := (Usage{}); errors.As(err, &said) {
			return said
		}
		return Usage{f.mistake(err, args)}
	}
	if !slices.Contains(colours, f.Color) {
		return Usagef("--color %s: want auto, always or never", f.Color)
	}
	if !slices.Contains(clocks, f.Clock) {
		return Usagef("--clock %s: want run or wall", f.Clock)
	}
	if f.Set.Changed("completion") && !slices.Contains(help.Shells, f.completion) {
		return Usagef("--completion %s: want bash, zsh or fish", f.completion)
	}
	if f.JSON && f.Quiet {
		return Usagef("--json prints events and --quiet prints none: want one of them")
	}
	if err := f.checkPictures(); err != nil {
		return err
	}
	if f.Set.Changed("record") && f.Record == "" {
		return Usagef("--record '': want the name of a file")
	}
	if err := f.Wire.check(f.Set); err != nil {
		return err
	}
	if err := f.Sockets.check(); err != nil {
		return err
	}
	return f.inRange()
}

// inRange refuses numbers and times below zero, which no flag takes, and numbers that are no C int.
func (f *Flags) inRange() (err error) {
	wants := map[string]string{"int": "a number that is not negative", "duration": "a time that is not negative, as 400ms or 5s"}
	f.Set.VisitAll(func(fl *pflag.Flag) {
		want, value := wants[fl.Value.Type()], fl.Value.String()
		if err == nil && want != "" && strings.HasPrefix(value, "-") {
			err = Usagef("--%s %s: want %s", fl.Name, value, want)
		}
		if n, _ := strconv.ParseInt(value, 10, 64); err == nil && fl.Value.Type() == "int" && n > math.MaxInt32 {
			err = Usagef("--%s %s: want a number up to %d", fl.Name, value, math.MaxInt32)
		}
	})
	return err
}

// Answer tells whether a question about the program was asked, --help, --version, --list and their like, and answers
// it.
func (f *Flags) Answer(to *os.File, about help.Command) (asked bool, err error) {
	switch {
	case f.Help || f.Version:
	case f.List:
		err = f.Alone("list")
	case f.man:
		err = f.Alone("man")
	case f.completion != "":
		err = f.Alone("completion")
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	c := f.describe(about)
	return true, Print(to, func(w io.Writer) error {
		switch {
		case f.Help:
			c.Text(w, view.Width(to))
		case f.Version:
			fmt.Fprintln(w, Version(c.Name))
		case f.List && view.IsTerminal(to):
			List(w, view.Width(to), !view.UTF8())
		case f.List:
			List(w, math.MaxInt, !view.UTF8())
		case f.man:
			c.Man(w)
		default:
			c.Completion(w, f.completion)
		}
		return nil
	})
}

// Alone refuses what an answer that is asked for by that flag would take no notice of.
func (f *Flags) Alone(question string) (err error) {
	f.Set.Visit(func(fl *pflag.Flag) {
		if err == nil && fl.Name != question && fl.Name != "color" {
			err = Usagef("--%s cannot be combined with --%s: want one of them", fl.Name, question)
		}
	})
	if err == nil && f.Set.NArg() > 0 {
		err = Usagef("--%s and %q: want one of them", question, f.Set.Arg(0))
	}
	return err
}

// Version is the module's version, as the Go tool recorded it.
func Version(program string) string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return program + " " + version
}

// OfScenarios are the flags that mean something for a scenario alone.
var OfScenarios = []string{"hold", "pace", "step", "full", "wire", "clock", "all", "mermaid", "svg", "html"}

// OfWatch are the flags of echoc watch alone.
var OfWatch = []string{"pid", "state", "netns", "once", "for", "every"}

// Refuse says that what was asked for has flags that it would take no notice of.
func (f *Flags) Refuse(what string, names ...string) error {
	for _, name := range names {
		if f.Set.Lookup(name) != nil && f.Set.Changed(name) {
			return Usagef("--%s is not for %s (see --help)", name, what)
		}
	}
	return nil
}
