package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"socklife/internal/cli"
	"socklife/internal/echo"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/internal/witness"
	"socklife/sockapi"
)

// serve is the plain echo server. On a terminal it tells what happens to each connection.
func serve(ctx context.Context, f *flags, addr netip.AddrPort) error {
	out := cli.Silent()
	narrated := !f.Quiet && (f.JSON || view.IsTerminal(os.Stdout))
	if narrated {
		out = f.Narration(os.Stdout, timeline.Server)
	}
	defer out.Done()
	cfg := echo.Config{
		Addr: addr, Backlog: f.Sockets.Backlog(),
		NoReuseAddr:     f.Sockets.Given("reuseaddr"), // then it is for the flag to say
		ListenerOptions: f.Sockets.Apply,
		MaxConns:        f.maxConns, IdleTimeout: f.idle, DrainTimeout: f.drain,
	}
	if f.drain == 0 {
		cfg.DrainTimeout = -1
	}
	var n *witness.Narration
	if narrated {
		var err error
		if n, err = witness.Narrate(out.Log, timeline.Server); err != nil {
			return err
		}
		defer n.Close()
		narrate(&cfg, n)
	}
	server, err := echo.NewServer(cfg)
	if err != nil {
		return err
	}
	listening(f.Flags, out.Log, server.Addr())
	if n != nil {
		n.Follow(server.Listener())
	}
	report, err := server.Serve(ctx)
	if err != nil {
		return err
	}
	if !f.Quiet {
		fmt.Fprintln(os.Stderr, "echod: "+told(report))
	}
	if cause := context.Cause(ctx); !errors.Is(cause, cli.ErrTerminated) {
		return cause
	}
	return nil
}

// narrate has the server's calls and states told, the data calls too.
func narrate(cfg *echo.Config, n *witness.Narration) {
	cfg.Tracer = n
	cfg.Events = echo.Events{
		Accepted:     func(s *sockapi.Socket, _ netip.AddrPort) { n.FollowBoth(s) },
		PeerFinished: func(*sockapi.Socket) { n.Look() },
		Closed: func(_ *sockapi.Socket, r echo.ConnReport) {
			n.Look()
			n.Note(fmt.Sprintf("%s: %s, %d bytes echoed", r.Peer, r.Reason, r.BytesOut))
		},
		AcceptPaused:  func(why error) { n.Note("not accepting: " + why.Error()) },
		AcceptResumed: func() { n.Note("accepting again") },
		Draining:      func(open int) { n.Note(fmt.Sprintf("stopping: %d connections are still open", open)) },
	}
}

// told is what came of it, in one line.
func told(r echo.Report) string {
	return fmt.Sprintf("%d connections: %d finished, %d reset, %d idle, %d drained, %d cut, %d failed; %d bytes in, %d out",
		r.Accepted, r.Finished, r.Resets, r.Idle, r.Drained, r.Cut, r.Failed, r.BytesIn, r.BytesOut)
}
