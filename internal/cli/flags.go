package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socklife/internal/lab"
	"socklife/internal/view"
)

// Flags are those that both commands have.
type Flags struct {
	Set     *pflag.FlagSet
	Sockets *SocketFlags
	Wire    *WireFlags

	Color               string
	JSON, Quiet, Step   bool
	IPv6, Trace, Full   bool
	Pace, Hold          time.Duration
	List, Help, Version bool

	lines <-chan string // of standard input, once they are read
}

// NewFlags declares them.
func NewFlags(program string) *Flags {
	fs := pflag.NewFlagSet(program, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	f := &Flags{Set: fs}
	fs.StringVar(&f.Color, "color", "auto", "`when` to use colour: auto, always or never")
	fs.BoolVar(&f.JSON, "json", false, "print events as JSON Lines")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing but errors")
	fs.DurationVar(&f.Pace, "pace", 0, "wait this `long` before each call (on a terminal)")
	fs.BoolVar(&f.Step, "step", false, "wait for Enter before each call (on a terminal)")
	f.Wire = &WireFlags{}
	fs.Func("hold", "stay this `long` in the state the scenario is about; with --wire also a RULE: hold such segments until --step lets them go", f.setHold)
	fs.BoolVar(&f.Trace, "trace", false, "have the kernel tell each transition (root)")
	f.Wire.AddCapture(fs)
	fs.BoolVar(&f.Full, "full", false, "also wait for what takes a minute: the end of TIME-WAIT")
	fs.BoolVarP(&f.IPv6, "ipv6", "6", false, "use ::1 where no address is given")
	fs.BoolVarP(&f.List, "list", "l", false, "list the scenarios")
	fs.BoolVar(&f.Version, "version", false, "print the version")
	fs.BoolVarP(&f.Help, "help", "h", false, "print this help")
	f.Sockets = newSocketFlags()
	return f
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
	if err := f.Wire.addRule(lab.Hold, s); err != nil {
		return fmt.Errorf("neither a time, as 5s, nor a rule: %w", err)
	}
	return nil
}

// Parse reads the command line; its error is a Usage.
func (f *Flags) Parse(args []string) error {
	f.Set.AddFlagSet(f.Sockets.set)
	if err := f.Set.Parse(args); err != nil {
		return Usage{oneLine(err)}
	}
	if f.Color != "auto" && f.Color != "always" && f.Color != "never" {
		return Usagef("--color %s: want auto, always or never", f.Color)
	}
	if err := f.Wire.check(f.Set); err != nil {
		return err
	}
	if err := f.Sockets.check(); err != nil {
		return err
	}
	return f.notNegative()
}

// notNegative refuses numbers and times below zero: there is no flag that takes one.
func (f *Flags) notNegative() (err error) {
	wants := map[string]string{"int": "a number that is not negative", "duration": "a time that is not negative, as 400ms or 5s"}
	f.Set.VisitAll(func(fl *pflag.Flag) {
		want, value := wants[fl.Value.Type()], fl.Value.String()
		if err == nil && want != "" && strings.HasPrefix(value, "-") {
			err = Usagef("--%s %s: want %s", fl.Name, value, want)
		}
	})
	return err
}

// Answer tells whether a question about the program was asked, --help, --version or --list, and answers it.
func (f *Flags) Answer(to *os.File, program, synopsis string) (asked bool, err error) {
	return f.Help || f.Version || f.List, Print(to, func(w io.Writer) error {
		switch {
		case f.Help:
			f.Usage(w, synopsis)
		case f.Version:
			fmt.Fprintln(w, Version(program))
		case f.List && view.IsTerminal(to):
			List(w, view.Width(to))
		case f.List:
			List(w, math.MaxInt)
		}
		return nil
	})
}

// Version is the module's version, as the Go tool recorded it.
func Version(program string) string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return program + " " + version
}

// Usage writes the help: the synopsis, then the flags by what they are about.
func (f *Flags) Usage(w io.Writer, synopsis string) {
	fmt.Fprint(w, strings.TrimLeft(synopsis, "\n"))
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	f.Set.VisitAll(func(fl *pflag.Flag) {
		if f.Sockets.set.Lookup(fl.Name) == nil {
			own.AddFlag(fl)
		}
	})
	fmt.Fprintf(w, "\nFlags:\n%s\nSocket options (set with setsockopt(2) before bind, listen or connect):\n%s",
		own.FlagUsagesWrapped(helpWidth), f.Sockets.set.FlagUsagesWrapped(helpWidth))
	fmt.Fprint(w, exitStatuses)
}

const helpWidth = 80

const exitStatuses = `
Exit status: 0 all that was expected came; 1 something did not, or an error;
2 usage; 3 this kernel or this user cannot do it; 130 interrupted.
`

// OfScenarios are the flags that mean something for a scenario alone.
var OfScenarios = []string{"hold", "pace", "step", "full", "wire"}

// Refuse says that what was asked for has flags that it would take no notice of.
func (f *Flags) Refuse(what string, names ...string) error {
	for _, name := range names {
		if f.Set.Lookup(name) != nil && f.Set.Changed(name) {
			return Usagef("--%s is not for %s (see --help)", name, what)
		}
	}
	return nil
}
