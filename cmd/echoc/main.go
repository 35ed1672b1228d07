// Command echoc is an echo client that shows the life of its connection, and plays scenarios: both sides of one, or the
// client's side against an echod in another terminal.
package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"socklife/internal/cli"
	"socklife/internal/scenario"
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
  echoc --explain STATE         what a TCP state waits for, and who must act

ADDR is HOST:PORT; start with:  echoc half-close
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	f := cli.NewFlags("echoc")
	state := f.Set.String("explain", "", "explain a TCP `state`: what it waits for, who must act")
	bind := f.Set.String("bind", "", "the client's own `address`, as 127.0.0.1:40000")
	if err := f.Parse(args); err != nil {
		return complain(err)
	}
	switch {
	case f.Help:
		f.Usage(os.Stdout, synopsis)
		return cli.ExitOK
	case f.Version:
		fmt.Println(cli.Version("echoc"))
		return cli.ExitOK
	case f.List:
		cli.List(os.Stdout)
		return cli.ExitOK
	case f.Set.Changed("explain"):
		return complain(explain(os.Stdout, *state))
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	return complain(dispatch(ctx, f, *bind, f.Set.Args()))
}

func complain(err error) int { return cli.Complain(os.Stderr, "echoc", err) }

// dispatch tells the three ways to call echoc apart.
func dispatch(ctx context.Context, f *cli.Flags, bind string, args []string) error {
	from, err := cli.BindAddress(bind)
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
	cfg := f.Config(os.Stdout)
	cfg.Bind = from
	play := scenario.Both
	o := view.Options{Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, ManyConns: sc.Many}
	if len(args) == 2 {
		if cfg.Addr, err = cli.Address(args[1]); err != nil {
			return cli.Usage{Text: err.Error()}
		}
		play = scenario.Client
		cfg.Patience = cli.TwoTerminals
		o.ServerLabel, o.ServerSource = cli.ServerLabel(cfg.Addr), "sock_diag"
	} else {
		cfg.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	}
	if f.Trace {
		o.ClientSource, o.ServerSource = "tracepoint", "tracepoint"
	}
	out := f.Output(os.Stdout, o)
	cfg.Log = out.Log
	result := play(ctx, sc, cfg)
	if err := out.Done(); err != nil {
		return err
	}
	return cli.Verdict(sc.Name, result)
}
