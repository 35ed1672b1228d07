package observe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"socklife/internal/timeline"
)

// Config says what is to be seen besides calls and sampled states.
type Config struct {
	Log         *timeline.Log
	Trace       bool  // the kernel's own transitions (root)
	Capture     bool  // the segments on this host's interfaces (CAP_NET_RAW)
	AbsoluteSeq bool  // their numbers as they are, and not from 0
	Pcap        *Pcap // has the segments too; nil: nobody has
	Client      bool  // this program is a client and no server: connections of others' go to the same server
}

// Outside is what is seen of sockets from outside their programs: at the kernel's tracepoint, and on the interfaces.
type Outside struct {
	log         *timeline.Log
	owners      Owners
	transitions *transitions // nil unless asked for
	segments    *segments    // likewise
}

// Open begins to watch, as far as that was asked for. Nothing is seen before an address is announced.
func Open(cfg Config, lookup Lookup) (_ *Outside, err error) {
	o := &Outside{log: cfg.Log}
	if cfg.Client {
		o.owners.mine = func(client, server netip.AddrPort) bool {
			s, _ := lookup(timeline.Client, client, server) // without a cookie if it is gone
			return o.log.Sockets.Made(s.Cookie, timeline.Client, timeline.Ends{Local: client, Remote: server})
		}
	}
	if cfg.Trace {
		if o.transitions, err = openTransitions(o.log, &o.owners, lookup); err != nil {
			return nil, err
		}
	}
	if cfg.Capture {
		if o.segments, err = openSegments(o.log, &o.owners, cfg.AbsoluteSeq, cfg.Pcap); err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// Announce tells of an address before anything happens on it, and whose it is.
func (o *Outside) Announce(addr netip.AddrPort, side timeline.Side) error {
	if addr.Port() == 0 {
		return nil
	}
	o.owners.Claim(addr, side)
	if o.transitions != nil {
		if err := o.transitions.trace.AddPorts(addr.Port()); err != nil {
			return err
		}
	}
	if o.segments != nil {
		return o.segments.capture.AddPort(addr.Port())
	}
	return nil
}

// Close ends the watching. What has happened until now is in the timeline then.
func (o *Outside) Close() error {
	if !o.watches() {
		return nil
	}
	err := errors.Join(o.transitions.close(), o.segments.close())
	o.log.Flush()
	o.log.SetFilter(nil)
	return err
}

func (o *Outside) watches() bool { return o.transitions != nil || o.segments != nil }

// inBackground runs what sees something until stop is called, which returns its error. Where it ends before that, the
// timeline says so. See tells until, again and again, up to which moment it has reported everything.
func inBackground(log *timeline.Log, what string, see func(ctx context.Context, until func(time.Time)) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	source, ended := log.Source(), make(chan error, 1)
	go func() {
		err := see(ctx, source.Until)
		source.Done()
		if err != nil && ctx.Err() == nil {
			log.Add(timeline.Wire, time.Time{}, &timeline.Note{Text: fmt.Sprintf("from here on no %s are seen: %v", what, err)})
		}
		ended <- err
	}()
	return func() error { cancel(); return <-ended }
}
