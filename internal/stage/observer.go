package stage

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"socklife/tcpinfo"
)

// ObserverError is a failure of what observes, and not of what was observed: nothing is known of that.
type ObserverError struct {
	Observer string // "sock_diag", "the wire"
	Err      error
}

func (e *ObserverError) Error() string {
	return fmt.Sprintf("%s failed while watching: %v; what the kernel did is unknown", e.Observer, e.Err)
}

func (e *ObserverError) Unwrap() error { return e.Err }

// blind is an *ObserverError if something that observes this run has failed, or else nil. (A dump that the kernel's
// tables changed under is not: another one follows.)
func (r *run) blind() error {
	for _, h := range r.hosts() {
		if err := h.watch.Err(); err != nil && !errors.Is(err, tcpinfo.ErrInconsistent) {
			if call := (*tcpinfo.Error)(nil); errors.As(err, &call) && strings.HasPrefix(call.Op, "getsockopt") {
				return &ObserverError{"TCP_INFO", err}
			}
			return &ObserverError{"sock_diag", err}
		}
	}
	return nil
}

// unmet is for whoever waited in vain, before he says so: if the run is over, or nobody could have seen what was waited
// for, that is the reason.
func (r *run) unmet() {
	r.stopIfOver()
	if err := r.mismatch(); err != nil {
		r.fail(err)
	}
	if err := r.blind(); err != nil {
		r.fail(err)
	}
}

// late is the error of a wait that took too long.
func (r *run) late(what string) error {
	if err := r.mismatch(); err != nil {
		return err
	}
	if err := r.blind(); err != nil {
		return err
	}
	return timeout{what, r.callPatience()}
}

// lookup asks sock_diag for one socket now. It is false where the kernel has none.
func (r *run) lookup(h *host, local, remote netip.AddrPort, cookie uint64) (tcpinfo.Socket, bool) {
	d, err := h.diag.Lookup(local, remote, cookie)
	if err != nil && !errors.Is(err, tcpinfo.ErrNotFound) {
		r.fail(&ObserverError{"sock_diag", err})
	}
	return d, err == nil
}
