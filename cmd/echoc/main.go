// Command echoc is an echo client that shows the life of its connection, and plays scenarios: both sides of one, or the
// client's side against an echod in another terminal.
package main

import (
	"context"
	"io"
	"net/netip"
	"os"

	"socklife/internal/cli"
	"socklife/internal/lab"
	"socklife/internal/stage"
	"socklife/internal/view"
)

const synopsis = `
echoc - an echo client that shows what TCP does

  echoc [flags] SCENARIO        play both sides of a scenario in this terminal
  echoc [flags] SCENARIO ADDR   play the client's side against an echod SCENARIO
  echoc [flags] ADDR            send standard input to an echo server and print
                                what comes back; end of input half-closes
  echoc [flags] tour            play every scenario, then tell which states and
                                transitions were seen
  echoc --list                  list the scenarios
  echoc --explain WORD          what a TCP state waits for and who must act, or
                                what makes a counter of the kernel rise

ADDR is HOST:PORT; start with:  echoc half-close
`

func main() {
	stage.Worker()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	f := cli.NewFlags("echoc")
	word := f.Set.String("explain", "", "explain a `word`: a TCP state, or a counter of the kernel")
	bind := f.Set.String("bind", "", "the client's own `address`, as 127.0.0.1:40000")
	f.Wire.AddTo(f.Set)
	if err := f.Parse(args); err != nil {
		return complain(err)
	}
	if asked, err := f.Answer(os.Stdout, "echoc", synopsis); asked {
		return complain(err)
	}
	if f.Set.Changed("explain") {
		return complain(cli.Print(os.Stdout, func(w io.Writer) error { return explainWord(w, *word) }))
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
	from, err := cli.BindAddress(ctx, bind)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0:
		return cli.Usagef("nothing to do: try  echoc half-close  or  echoc --help")
	case len(args) > 2:
		return cli.Usagef("too many arguments: %q (see echoc --help)", args[2:])
	case args[0] == "tour":
		if len(args) > 1 {
			return cli.Usagef("echoc tour takes no address: it plays both sides itself")
		}
		return takeTour(ctx, f)
	case len(args) == 1 && cli.LooksLikeAddr(args[0]):
		return interactive(ctx, f, from, args[0])
	}
	sc, err := cli.Scenario(args[0])
	if err != nil {
		return err
	}
	o := view.Options{Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, ManyConns: sc.Many}
	to := netip.AddrPort{}
	if len(args) == 2 {
		if to, err = cli.Address(ctx, args[1]); err != nil {
			return err
		}
		o.ServerLabel, o.ServerSource = cli.ServerLabel(to)
	}
	if f.Trace {
		o.ClientSource, o.ServerSource = "tracepoint", "tracepoint"
	}
	out := f.Output(os.Stdout, o)
	cfg := f.Config(out)
	cfg.Bind = from
	finish, err := onWire(f, sc, out, &cfg, args)
	if err != nil {
		return err
	}
	play := stage.Both
	if len(args) == 2 {
		play = stage.Client
		cfg.Addr, cfg.Timeout = to, cli.TwoTerminalTimeout
	} else {
		cfg.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	}
	result := play(ctx, sc, cfg)
	if err := finish(); err != nil {
		return out.Done(err)
	}
	return out.Done(cli.Verdict(sc.Name, result))
}

// onWire has the scenario played between two hosts, if that was asked for; finish ends what it began.
func onWire(f *cli.Flags, sc *stage.Scenario, out cli.Output, cfg *stage.Config, args []string) (finish func() error, err error) {
	switch {
	case !f.Wire.On && sc.OnlyWire:
		return nil, cli.Usagef("%s needs a wire that can lose and delay segments: echoc --wire %[1]s", sc.Name)
	case !f.Wire.On:
		return func() error { return nil }, nil
	case len(args) == 2:
		return nil, cli.Usagef("--wire plays both sides, on hosts of their own: it takes no address")
	}
	if f.Step && sc.Injects {
		return nil, cli.Usagef("--step: in %s the wire delivers segments of its own, which cannot be done by hand", sc.Name)
	}
	cfg.Timeout = f.Wire.Timeout()
	cfg.Wire, finish, err = f.Wire.Config(out)
	return finish, err
}
