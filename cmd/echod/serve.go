package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"socklife/internal/cli"
	"socklife/internal/echo"
	"socklife/internal/observe"
	"socklife/internal/privilege"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/sockapi"
)

// serve is the plain echo server. On a terminal, or where that was asked for, it tells what happens to each connection;
// elsewhere, how each ended.
func serve(ctx context.Context, f *flags, addr netip.AddrPort) (err error) {
	signal.Ignore(unix.SIGPIPE) // that somebody has read enough of the events is nothing to the clients
	out := cli.Silent()
	shown := f.Wire.Pcap != "" || !f.Quiet && (f.JSON || f.Trace || f.Wire.Capture || view.IsTerminal(os.Stdout))
	if shown {
		out = f.Narration(f.Wire.Timeline(), timeline.Server)
	}
	defer func() { err = out.Done(err) }()
	if err = f.Keep(&out, view.Options{}, timeline.Server); err != nil {
		return err
	}
	ctx, pcap, endPcap, err := f.Wire.OpenPcap(ctx, out.Log)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, endPcap()) }()
	cfg := echo.Config{
		Addr: addr, Backlog: f.Sockets.Backlog(),
		NoReuseAddr: f.Sockets.Given("reuseaddr"), // then it is for the flag to say
	}
	f.limits.apply(&cfg, f.Sockets)
	var n *observe.Narration
	if shown || f.Record != "" {
		if n, err = observe.Narrate(timeline.Server, f.Observed(out, pcap)); err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, n.Close()) }()
		narrate(&cfg, n, &f.limits)
	}
	if !shown && !f.Quiet {
		cfg.Events.AcceptPaused = both(cfg.Events.AcceptPaused, complainOnce(&f.limits))
	}
	var told *ends
	if !f.Quiet && !f.JSON && !(shown && view.IsTerminal(os.Stderr)) {
		told = tellEnds(os.Stderr, &cfg.Events, &f.limits)
	}
	cfg.Events.First = wrongServer
	server, err := echo.NewServer(cfg)
	if err != nil {
		return err
	}
	if n != nil {
		n.Follow(server.Listener())
	}
	if err := privilege.Drop(f.endsAsRoot()); err != nil {
		return err
	}
	listening(f.Flags, out.Log, server.Addr())
	report, err := server.Serve(ctx)
	told.close()
	if err != nil {
		return err
	}
	if !f.Quiet {
		cli.Say(os.Stderr, "echod: "+summary(report))
	}
	if cause := context.Cause(ctx); !errors.Is(cause, cli.ErrTerminated) {
		return cause
	}
	return nil
}

// endsAsRoot: what began as root ends as root, for a trace instance is to be removed, or a file to be completed.
func (f *flags) endsAsRoot() bool {
	return f.Trace || f.Record != "" || f.Wire.Pcap != "" && !f.Wire.PcapToOutput()
}

// narrate has the server's calls and states told.
func narrate(cfg *echo.Config, n *observe.Narration, l *limits) {
	cfg.Tracer = n
	cfg.Bound = func(s *sockapi.Socket) error {
		addr, err := s.Untraced().Getsockname()
		if err != nil {
			return err
		}
		return n.Announce(addr, timeline.Server)
	}
	cfg.Events = echo.Events{
		Accepted:     func(s *sockapi.Socket, _ netip.AddrPort) { n.FollowBoth(s) },
		PeerFinished: func(*sockapi.Socket) { n.Look() },
		Closed: func(_ *sockapi.Socket, r echo.ConnReport) {
			n.Look()
			n.Note(endOf(r, l))
		},
		AcceptPaused:  func(why error) { n.Note("not accepting: " + l.paused(why)) },
		AcceptResumed: func() { n.Note("accepting again") },
		Draining:      func(open int) { n.Note("stopping, and still open: " + count(int64(open), "connection")) },
	}
}

// wrongServer says so where a client plays a scenario: there the two terminals do not run the same.
func wrongServer(peer netip.AddrPort, began []byte) {
	if name, ok := stage.Requested(began); ok {
		complain(fmt.Errorf("the client %s plays %s, and this is the plain echo server: start `echod %[2]s`", peer, name))
	}
}

// both has what comes handed to both; the first may be nil.
func both(first, second func(error)) func(error) {
	return func(err error) {
		if first != nil {
			first(err)
		}
		second(err)
	}
}

// complainOnce says why no connections are accepted, the first time that it is an error, and the first time that it is
// the limit.
func complainOnce(l *limits) func(error) {
	said := map[bool]bool{}
	return func(why error) {
		full := errors.Is(why, echo.ErrMaxConns)
		switch {
		case said[full]:
		case full:
			cli.Remark(os.Stderr, "echod", "not accepting for now: "+l.paused(why))
		default:
			complain(fmt.Errorf("not accepting for now: %w", why))
		}
		said[full] = true
	}
}
