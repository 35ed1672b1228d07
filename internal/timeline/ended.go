package timeline

import "slices"

// Ended is what this program's own calls did about the end of a connection before it was seen to be CLOSED. The kernel
// does not say how it came to that.
type Ended struct {
	How How    `json:"ended,omitempty"`
	Why string `json:"ended_why,omitempty"`
}

// Or is what two ends know together: who aborted it, or was told, knows best, and then whose other end did.
func (e Ended) Or(other Ended) Ended {
	if other.How == "" || e.How == EndedAbort || e.How == EndedTold {
		return e
	}
	return other
}

// How a connection came to its end, as far as the calls tell.
type How string

const (
	EndedAbort      How = "abort"      // close() sends RST in place of FIN: Why
	EndedTold       How = "told"       // a call failed, which tells of an abort: Why
	EndedByNone     How = "no call"    // neither close() nor shutdown() was called, so it was aborted
	EndedUnaccepted How = "unaccepted" // nobody had accepted it: likewise
	EndedByOther    How = "other end"  // the other end's close() sends RST in place of FIN
	EndedSent       How = "fin"        // close() or shutdown() sent FIN
	EndedSecond     How = "fin second" // and before that read() had given 0: the other end's FIN came first
)

// Aborted says whether that was no end in good order: RST was sent or came, or this end gave up.
func (h How) Aborted() bool {
	switch h {
	case EndedAbort, EndedTold, EndedByNone, EndedUnaccepted, EndedByOther:
		return true
	}
	return false
}

// aborts are the errors by which a call tells of an abort.
var aborts = []string{"ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"}

// TellsOfAbort says whether an error tells that the connection was reset, or given up. A read() after that gives 0.
func TellsOfAbort(errno string) bool { return slices.Contains(aborts, errno) }

// What the timer "on" of a [State] is for, where that is known.
const (
	ForRetransmission = "retransmission"
	ForLossProbe      = "tail loss probe"
)
