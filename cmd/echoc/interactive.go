package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"

	"socklife/internal/cli"
	"socklife/internal/echo"
	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/sockapi"
)

// interactive sends standard input to an echo server and prints what comes back. Standard output carries that and
// nothing else, but on a terminal, where it is marked; what is told of the connection goes to standard error.
func interactive(ctx context.Context, f *cli.Flags, bind netip.AddrPort, to string) (err error) {
	if err := f.Refuse("the plain echo client, only for scenarios", cli.OfScenarios...); err != nil {
		return err
	}
	if err := f.Refuse("the client alone: it is the server's", "backlog"); err != nil {
		return err
	}
	addr, err := f.Address(ctx, to)
	if err != nil {
		return err
	}
	if f.Wire.PcapToOutput() {
		return cli.Usagef("--pcap -: standard output has what the server sends back")
	}
	out := f.Talk()
	defer func() { err = out.Done(err) }()
	if err = f.Keep(&out.Output, view.Options{}, timeline.Client); err != nil {
		return err
	}
	cfg := echo.ClientConfig{
		Addrs: []netip.AddrPort{addr}, In: out.In, Out: out.Out,
		Options: func(s *sockapi.Socket) error {
			if err := f.Sockets.Apply(s); err != nil || !bind.IsValid() {
				return err
			}
			return s.Bind(bind)
		},
	}
	ctx, pcap, endPcap, err := f.Wire.OpenPcap(ctx, out.Log)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, endPcap()) }()
	if !f.Quiet || pcap != nil || f.Record != "" {
		var n *observe.Narration
		if n, err = observe.Narrate(timeline.Client, f.Observed(out.Output, pcap)); err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, n.Close()) }()
		if err = n.Announce(addr, timeline.Server); err != nil {
			return err
		}
		narrate(&cfg, n, out.Typed)
	}
	_, err = echo.RunClient(ctx, cfg)
	if errors.Is(err, echo.ErrOutputClosed) {
		return nil // whoever read our output has had enough, as head(1) has
	}
	return err
}

// narrate has the client's calls and states told.
func narrate(cfg *echo.ClientConfig, n *observe.Narration, typed bool) {
	cfg.Tracer = n
	options := cfg.Options
	cfg.Options = func(s *sockapi.Socket) error {
		n.Follow(s)
		return options(s)
	}
	cfg.Events.Connected = func(s *sockapi.Socket, _ netip.AddrPort) {
		n.Connected(s)
		if typed {
			n.Note("connected: type a line; Ctrl-D ends your side (half-close)")
		}
	}
	cfg.Events.PeerFinished = func(_ *sockapi.Socket, sending bool) {
		if sending {
			n.Note("the server has finished sending; what you type is still sent")
		}
	}
	cfg.Events.Closed = func(_ *sockapi.Socket, r echo.ClientReport) {
		n.Look()
		n.Note(fmt.Sprintf("%d bytes sent, %d came back", r.Sent, r.Received))
	}
}
