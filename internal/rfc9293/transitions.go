package timeline

// States of RFC 9293, section 3.3.2, by the names of figure 5. CLOSED is also said of a connection that the kernel no
// longer knows.
const (
	Closed      = "CLOSED"
	Listen      = "LISTEN"
	SynSent     = "SYN-SENT"
	SynReceived = "SYN-RECEIVED"
	Established = "ESTABLISHED"
	FinWait1    = "FIN-WAIT-1"
	FinWait2    = "FIN-WAIT-2"
	CloseWait   = "CLOSE-WAIT"
	Closing     = "CLOSING"
	LastAck     = "LAST-ACK"
	TimeWait    = "TIME-WAIT"
)

// States are the eleven, in the order of a connection's life.
var States = []string{Closed, Listen, SynSent, SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait}

// Transition is an arrow of RFC 9293's figure 5, of its notes, or of section 3.5.3 (reset processing).
type Transition struct {
	From, To string
	Linux    bool   // Linux makes it
	When     string // what brings it about
	Via      string // the state that Linux passes on the way, within the handling of one segment; mostly ""
	Abort    bool   // only an abort makes it: a reset that came or went, or giving up
}

// Transitions are all of them. The figure leaves resets out "for legibility" (note 3); here they are, and marked.
var Transitions = []Transition{
	{From: Closed, To: Listen, Linux: true, When: "listen()"},
	{From: Listen, To: Closed, Linux: true, When: "close(), or shutdown(SHUT_RD)"},
	{From: Listen, To: SynSent, When: "in the figure and not in Linux: connect() on a listener is refused with EISCONN"},
	{From: Closed, To: SynSent, Linux: true, When: "connect()"},
	{From: SynSent, To: Closed, Linux: true, When: "RST (nobody listens), no answer, or close()"},
	{From: Listen, To: SynReceived, Linux: true, When: "a SYN comes; on Linux the listener stays LISTEN and an entry of its own is made"},
	{From: SynSent, To: SynReceived, Linux: true, When: "a SYN comes without ACK: simultaneous open"},
	{From: SynReceived, To: Established, Linux: true, When: "the ACK of our SYN comes"},
	{From: SynSent, To: Established, Linux: true, When: "SYN-ACK comes"},
	{From: SynReceived, To: Closed, Linux: true, When: "RST, or no ACK after the last SYN-ACK: the entry is dropped, the listener stays (note 1)"},
	{From: SynReceived, To: FinWait1, Linux: true, When: "close() or shutdown(SHUT_WR) before the ACK of our SYN (simultaneous open)"},
	{From: Established, To: FinWait1, Linux: true, When: "close() or shutdown(SHUT_WR)"},
	{From: Established, To: CloseWait, Linux: true, When: "FIN comes"},
	{From: FinWait1, To: FinWait2, Linux: true, When: "the ACK of our FIN comes"},
	{From: FinWait1, To: Closing, Linux: true, When: "FIN comes before the ACK of ours: simultaneous close"},
	{From: FinWait1, To: TimeWait, Linux: true, Via: FinWait2, When: "one segment with FIN and the ACK of ours (note 2)"},
	{From: FinWait2, To: TimeWait, Linux: true, When: "FIN comes"},
	{From: Closing, To: TimeWait, Linux: true, When: "the ACK of our FIN comes"},
	{From: CloseWait, To: LastAck, Linux: true, When: "close() or shutdown(SHUT_WR)"},
	{From: LastAck, To: Closed, Linux: true, When: "the ACK of our FIN comes; or RST, or giving up"},
	{From: TimeWait, To: Closed, Linux: true, When: "60 s later; or RST, unless tcp_rfc1337 is set"},
	{From: TimeWait, To: SynReceived, Linux: true, When: "a new SYN that cannot be an old duplicate (RFC 6191)"},
	{From: Established, To: Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up (ETIMEDOUT)"},
	{From: FinWait1, To: Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up"},
	{From: FinWait2, To: Closed, Linux: true, When: "RST; or nobody holds it any more and tcp_fin_timeout (TCP_LINGER2) is over"},
	{From: CloseWait, To: Closed, Linux: true, Abort: true, When: "RST comes or is sent, or giving up"},
	{From: Closing, To: Closed, Linux: true, Abort: true, When: "RST comes, or giving up"},
}

// Unseen says what a socket on Linux passed between two observations: the states in between, in order. It is ok if there is one
// shortest way, and false if there is none or several, which [Ways] has. Nothing is passed where one step leads from one to the
// other; that step may be an abort, see [MayAbort].
func Unseen(from, to string) (path []string, ok bool) {
	ways := Ways(from, to)
	if MayAbort(from, to) || len(ways) != 1 {
		return nil, false
	}
	return ways[0], true
}

// MayAbort says whether an abort leads from one state to the other in one step, and nothing else does: it cannot be known whether the
// socket was aborted or passed the states of [Ways].
func MayAbort(from, to string) bool {
	for _, t := range Transitions {
		if t.From == from && t.To == to {
			return t.Abort
		}
	}
	return false
}

// MayCome says whether a connection in one state may still come to another on Linux, aborted or not: a life goes on to CLOSED, and what
// begins there, or over TIME-WAIT, is another one.
func MayCome(from, to string) bool {
	seen := map[string]bool{from: true}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		for _, t := range Transitions {
			if t.From != next[0] || !t.Linux || t.From == TimeWait && t.To == SynReceived {
				continue
			}
			if t.To == to {
				return true
			}
			if t.To != Closed && !seen[t.To] {
				seen[t.To] = true
				next = append(next, t.To)
			}
		}
	}
	return false
}

// Ways are the shortest ways from one state to another on Linux, without aborts: for each, the states in between. One step is one way
// with nothing in between.
func Ways(from, to string) [][]string {
	if from == to {
		return nil
	}
	ways := [][]string{{from}}
	for range States {
		var longer, arrived [][]string
		for _, way := range ways {
			for _, next := range steps(way[len(way)-1], len(way) == 1) {
				extended := append(way[:len(way):len(way)], next)
				if next == to {
					arrived = append(arrived, extended[1:len(way)])
				}
				longer = append(longer, extended)
			}
		}
		if len(arrived) > 0 {
			return arrived
		}
		ways = longer
	}
	return nil
}

// steps are the states that a socket in this one can be in next. A listener's way to SYN-RECEIVED is that of a new socket, so it is a
// beginning and never in the middle of a way.
func steps(state string, first bool) (next []string) {
	for _, t := range Transitions {
		listeners := t.From == Listen && t.To == SynReceived && !first
		if t.From == state && t.Linux && !t.Abort && t.Via == "" && !listeners {
			next = append(next, t.To)
		}
	}
	return next
}
