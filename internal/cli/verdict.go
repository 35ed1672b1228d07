package cli

import (
	"fmt"
	"net/netip"
	"time"

	"socklife/internal/scenario"
)

// TwoTerminals is how long a side waits for the other when a person may be stepping through that.
const TwoTerminals = 15 * time.Minute

// Verdict is nil if all that was expected came; otherwise it says what did not.
func Verdict(name string, r scenario.Result) error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.Failed > 0:
		return fmt.Errorf("%s: %d of %d checks failed", name, r.Failed, r.Checks)
	}
	return nil
}

// ServerLabel says how the server is seen from the client's terminal, and by which source, if it is.
func ServerLabel(a netip.AddrPort) (label, source string) {
	if OnThisHost(a.Addr()) {
		return "server " + a.String() + " (seen through sock_diag)", "sock_diag"
	}
	return "server " + a.String() + " (on another host: cannot be seen)", ""
}
