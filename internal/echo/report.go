package echo

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ErrMaxConns is why accepting pauses when Config.MaxConns connections are open.
var ErrMaxConns = errors.New("as many connections as allowed are open")

// Reason is why a connection was closed.
type Reason uint8

const (
	Finished Reason = iota // the peer sent FIN, and has been sent all it had sent before
	Reset                  // the peer reset the connection: ECONNRESET, or EPIPE
	Idle                   // Config.IdleTimeout passed
	Drained                // the server is stopping, and nothing was left to echo
	Cut                    // the server is stopping, and the time to echo the rest was up
	Failed                 // another error: ETIMEDOUT, ECONNABORTED (SOCK_DESTROY)
)

var reasonNames = [...]string{"finished", "reset", "idle", "drained", "cut", "failed"}

// String is the reason in one lower-case word.
func (r Reason) String() string { return reasonNames[r] }

// reasonOf says how a connection ended whose read or write failed.
func reasonOf(err error) Reason {
	if errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) {
		return Reset
	}
	return Failed
}

// ConnReport is how one connection went.
type ConnReport struct {
	Peer              netip.AddrPort
	BytesIn, BytesOut int64 // read from and written to the kernel; the difference was never echoed
	Reason            Reason
	Err               error // of the call that ended it, or else of close(2); nil if all went well
}

// Report is what a server did. When it has returned, Accepted is the sum of the six ways to end.
type Report struct {
	Accepted int64 // connections that accept4(2) returned
	Aborted  int64 // accept4(2) failed for a reason of the one connection: ECONNABORTED and its like
	Refused  int64 // in the accept queue when the listener was closed: the kernel resets these
	Pauses   int64 // times that accepting paused: accept4(2) failed and goes on to fail, or Config.MaxConns
	Peak     int   // most connections open at once

	BytesIn, BytesOut int64

	Finished, Resets, Idle, Drained, Cut, Failed int64 // by Reason
}

// count adds one end to the report.
func (r *Report) count(why Reason) {
	ends := [...]*int64{Finished: &r.Finished, Reset: &r.Resets, Idle: &r.Idle, Drained: &r.Drained, Cut: &r.Cut, Failed: &r.Failed}
	*ends[why]++
}
