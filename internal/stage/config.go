package stage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/sockapi"
)

// Config is how a scenario is to be run.
type Config struct {
	Addr                 netip.AddrPort // where the server listens; port 0 picks a free one
	Hold                 time.Duration  // how long to stay in the state the lesson is about
	Pace                 time.Duration  // how long to wait before each call
	Step                 Stepper        // asked before each call; nil: go on by itself
	Capture, AbsoluteSeq bool           // have the segments on this host's interfaces shown (CAP_NET_RAW); their numbers as they are
	Pcap                 *observe.Pcap  // has the segments that are seen too, on the wire or on this host; nil: no capture
	Trace                bool           // have the kernel tell the transitions (root)
	Full                 bool           // also wait for what takes a minute
	All                  bool           // Pace and Step are for calls beside the lesson, too

	// Options the user set on the command line; called before bind, listen and connect.
	OnListener, OnConn func(*sockapi.Socket) error
	Bind               netip.AddrPort // the client's own address; invalid: the kernel chooses
	Backlog            *int           // for listen(2); nil leaves it to the scenario
	Experiment         string         // those options as they were typed; "": none. Then a run goes on after what was not met.

	Wire *WireConfig // two hosts and a wire between them; nil: this host

	Log   *timeline.Log
	Ready func(netip.AddrPort) // the server listens there; called once

	Countdown func(what string, left time.Duration) // shows how long a hold still takes, 0 that it is over; nil: nobody is looking on

	Timeout time.Duration // how long to wait for the other side; 0 is ten seconds
}

// Stepper lets the user say when the next call is made. It returns an error when there is no more asking: the user
// has quit.
type Stepper func(ctx context.Context, side timeline.Side, next string) error

// Result is how a run ended.
type Result struct {
	Checks, Failed int
	Err            error // a call that failed though it should not have, a wait that took too long, an interruption
	Interrupted    bool  // the user has ended it

	experiment string
}

// OK tells whether all that was expected came.
func (r Result) OK() bool { return r.Err == nil && r.Failed == 0 }

// Why says in one line why a run is not OK; "" if it is.
func (r Result) Why() string {
	why := fmt.Sprintf("%d of %d checks failed", r.Failed, r.Checks)
	switch {
	case r.OK():
		return ""
	case r.Interrupted:
		return timeline.Interrupted
	case r.Failed > 0 && r.experiment != "":
		if why = fmt.Sprintf("%d of %d checks differ, with %s", r.Failed, r.Checks, r.experiment); r.Err != nil {
			why += "; then " + r.Err.Error()
		}
	case r.experiment != "" && !ofThisSide(r.Err):
		return fmt.Sprintf("with %s: %v", r.experiment, r.Err)
	case r.Err != nil:
		return r.Err.Error()
	}
	return why
}

// ErrMismatch: the two terminals do not run the same scenario.
var ErrMismatch = errors.New("the other side runs something else")

// ErrNeedsWire: the scenario is about a wire that loses, delays and keeps segments.
var ErrNeedsWire = errors.New("this scenario needs a wire between the sides")
