// Command echoc is an echo client that shows the life of its connection, and plays scenarios: both sides of one, or the
// client's side against an echod in another terminal.
package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"

	"socklife/internal/cli"
	"socklife/internal/lab"
	"socklife/internal/lesson"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

func main() {
	stage.Worker()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	f := cli.NewFlags("echoc")
	word := f.In(cli.GroupModes).String("explain", "", "explain a `WORD`: a scenario, a state, an error, a timer, an option, a call, a counter, a sysctl")
	bind := f.In(cli.GroupAddresses).String("bind", "", "the client's own `ADDR`, as 127.0.0.1:40000")
	f.Wire.AddTo(f.In(cli.GroupWire))
	ofWatch := &watchFlags{}
	ofWatch.addTo(f.In(cli.GroupWatch))
	if err := f.Parse(orWhichWords(args)); err != nil {
		return complain(err)
	}
	if f.List && f.Set.Arg(0) == "learn" {
		return complain(listCourse(!view.UTF8()))
	}
	if asked, err := f.Answer(os.Stdout, about()); asked {
		return complain(err)
	}
	if f.Set.Changed("explain") {
		if err := f.Alone("explain"); err != nil {
			return complain(err)
		}
		return complain(cli.Print(os.Stdout, func(w io.Writer) error {
			return explainWord(w, *word, view.For(os.Stdout, f.Color))
		}))
	}
	if f.Set.Arg(0) == "watch" {
		ctx, stop := cli.Interruptible()
		defer stop()
		return complain(watch(ctx, f, ofWatch, f.Set.Args()[1:]))
	}
	if err := f.Refuse("anything but echoc watch", cli.OfWatch...); err != nil {
		return complain(err)
	}
	if f.Wire.On {
		if done, status, err := lab.Enter(); done || err != nil {
			return max(status, complain(err))
		}
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	return complain(dispatch(ctx, f, *bind, f.Set.Args()))
}

func complain(err error) int { return cli.Complain(os.Stderr, "echoc", err) }

// dispatch tells the three ways to call echoc apart.
func dispatch(ctx context.Context, f *cli.Flags, bind string, args []string) error {
	from, err := f.BindAddress(ctx, bind)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0:
		return cli.Usagef("nothing to do: try  echoc half-close  (see echoc --help)")
	case args[0] == "compare":
		return compare(ctx, f, args[1:])
	case len(args) > 2 && !slices.Contains(cli.Commands, args[0]):
		return cli.Usagef("too many arguments: %q (see echoc --help)", args[2:])
	case args[0] == "tour":
		if len(args) > 1 {
			return cli.Usagef("echoc tour takes no address: it plays both sides itself")
		}
		return takeTour(ctx, f)
	case args[0] == "diagram":
		if len(args) > 1 {
			return cli.Usagef("echoc diagram takes no address: it plays both sides itself")
		}
		return drawDiagram(ctx, f)
	case args[0] == "learn":
		return takeCourse(ctx, f, args[1:])
	case args[0] == "quiz":
		return holdQuiz(ctx, f, args[1:])
	case args[0] == "replay":
		return replay(ctx, f, args[1:])
	case len(args) == 1 && cli.LooksLikeAddr(args[0]):
		return interactive(ctx, f, from, args[0])
	case cli.LooksLikeAddr(args[0]):
		return cli.Usagef("the scenario comes first: echoc %s %s", args[1], args[0])
	}
	sc, err := cli.Scenario(args[0])
	if err != nil {
		return err
	}
	o := view.Options{Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, Words: lesson.Of(sc.Name).After(os.Args[1:]), ManyConns: sc.Many}
	if len(args) == 1 {
		o.Hint = "Too fast? --pace 400ms waits before each call, --step for Enter."
	}
	to := netip.AddrPort{}
	if len(args) == 2 {
		if err := f.Refuse("the client alone: it is the server's", "backlog"); err != nil {
			return err
		}
		if to, err = f.Address(ctx, args[1]); err != nil {
			return err
		}
		o.ServerLabel, o.ServerSource = cli.ServerLabel(to)
		if o.ServerSource == "" {
			o.Alone = timeline.Client
		}
	}
	if f.Trace {
		o.ClientSource, o.ServerSource = "tracepoint", "tracepoint"
	}
	out := f.Output(f.Wire.Timeline(), o)
	cfg := f.Config(out)
	cfg.Bind = from
	ctx, finish, err := onWire(ctx, f, sc, out, &cfg, args)
	if err != nil {
		return err
	}
	play, sides := stage.Both, []timeline.Side{timeline.Client, timeline.Server}
	if len(args) == 2 {
		play, sides = stage.Client, sides[:1]
		cfg.Addr, cfg.Timeout = to, cli.TwoTerminalTimeout
	} else {
		cfg.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	}
	if err = f.Keep(&out, o, sides...); err == nil {
		err = f.Draw(&out, o, cli.Kernel())
	}
	if err != nil {
		return errors.Join(err, finish())
	}
	out.Begin()
	result := play(ctx, sc, cfg)
	if err := finish(); err != nil {
		return out.Done(err)
	}
	return out.Done(cli.Verdict(sc.Name, result))
}

// onWire has the scenario played between two hosts, if that was asked for, and its segments captured; finish ends what
// it began.
func onWire(ctx context.Context, f *cli.Flags, sc *stage.Scenario, out cli.Output, cfg *stage.Config, args []string) (_ context.Context, finish func() error, err error) {
	switch {
	case !f.Wire.On && sc.OnlyWire:
		return nil, nil, cli.Usagef("%s needs a wire that can lose and delay segments: echoc --wire %[1]s", sc.Name)
	case f.Wire.On && len(args) == 2:
		return nil, nil, cli.Usagef("--wire plays both sides, on hosts of their own: it takes no address")
	case f.Wire.On && f.Step && sc.Injects:
		return nil, nil, cli.Usagef("--step: in %s the wire delivers segments of its own, which cannot be done by hand", sc.Name)
	}
	if err := f.Wire.LetGo(out); err != nil {
		return nil, nil, err
	}
	ctx, pcap, endPcap, err := f.Wire.OpenPcap(ctx, out.Log)
	if err != nil {
		return nil, nil, err
	}
	cfg.Pcap = pcap
	if !f.Wire.On {
		return ctx, endPcap, nil
	}
	cfg.Timeout = f.Wire.Timeout()
	wire, restore := f.Wire.Config(out)
	cfg.Wire = wire
	return ctx, func() error { restore(); return endPcap() }, nil
}
