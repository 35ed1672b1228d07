package main

import (
	"errors"
	"fmt"
	"time"

	"socklife/internal/cli"
	"socklife/internal/echo"
	"socklife/sockapi"
)

// What the plain server lets its clients cost: together at most some 1.3 GB, nearly all of it the kernel's, and a
// thousand descriptors. A person who leaves a client open over a lesson is not idle for so long.
const (
	defaultMaxConns  = 1000
	defaultIdle      = time.Hour
	defaultMaxUnread = 256 << 10
)

// limits are the flags of the plain server that bound it.
type limits struct {
	maxConns, maxUnread int
	idle, drain         time.Duration
}

// ofPlainServer are their names.
var ofPlainServer = []string{"max-conns", "idle-timeout", "max-unread", "drain-timeout"}

// addTo declares them.
func (l *limits) addTo(f *cli.Flags) {
	fs := f.In(cli.GroupServing)
	fs.IntVar(&l.maxConns, "max-conns", defaultMaxConns, "serve `N` clients at once; more wait in the accept queue (0: all)")
	fs.DurationVar(&l.idle, "idle-timeout", defaultIdle, "close connections on which nothing moved this `DURATION` (0: never)")
	fs.IntVar(&l.maxUnread, "max-unread", defaultMaxUnread, "keep `BYTES` each way for one who does not read (0: all the kernel gives)")
	fs.DurationVar(&l.drain, "drain-timeout", echo.DefaultDrainTimeout, "at SIGTERM, clients may take this `DURATION` to finish")
}

// apply has a server keep them. A buffer's size that a flag of its own gives is that flag's.
func (l *limits) apply(cfg *echo.Config, sockets *cli.SocketFlags) {
	cfg.MaxConns, cfg.IdleTimeout, cfg.DrainTimeout = l.maxConns, l.idle, l.drain
	if l.drain == 0 {
		cfg.DrainTimeout = -1
	}
	cfg.ListenerOptions = func(s *sockapi.Socket) error {
		for _, o := range []struct {
			flag string
			sockapi.Option[int]
		}{{"rcvbuf", sockapi.SO_RCVBUF}, {"sndbuf", sockapi.SO_SNDBUF}} {
			if l.maxUnread == 0 || sockets.Given(o.flag) {
				continue
			}
			if err := o.Set(s, l.maxUnread); err != nil {
				return fmt.Errorf("--max-unread %d: %w", l.maxUnread, err)
			}
		}
		return sockets.Apply(s)
	}
}

// endedBy is the limit that a connection ended by, in words; "" if it was none.
func (l *limits) endedBy(why echo.Reason) string {
	switch {
	case why == echo.Idle:
		return fmt.Sprintf(" for %v (--idle-timeout)", l.idle)
	case why == echo.Cut:
		return fmt.Sprintf(" after %v (--drain-timeout)", l.drain)
	}
	return ""
}

// paused is why no connections are accepted, in words.
func (l *limits) paused(why error) string {
	if errors.Is(why, echo.ErrMaxConns) {
		return fmt.Sprintf("%s open (--max-conns): more wait in the accept queue", count(int64(l.maxConns), "connection"))
	}
	return why.Error()
}
