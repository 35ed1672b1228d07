package tcpinfo

import (
	"fmt"
	"strings"
)

// State is a TCP connection state, numbered as the kernel numbers them (include/net/tcp_states.h). TCP_INFO, sock_diag,
// /proc/net/tcp and the tracepoint sock:inet_sock_set_state all use these numbers.
type State uint8

// The eleven states of RFC 9293, section 3.3.2, and two that only the kernel tells apart.
const (
	Established State = 1
	SynSent     State = 2
	SynReceived State = 3
	FinWait1    State = 4
	FinWait2    State = 5
	TimeWait    State = 6
	Closed      State = 7
	CloseWait   State = 8
	LastAck     State = 9
	Listen      State = 10
	Closing     State = 11

	// newSynRecv selects, in a sock_diag request, SYN-RECEIVED of a connection that no descriptor exists for yet: the
	// kernel keeps a small "request" in its place until the handshake is complete. The reply reports it as SynReceived.
	newSynRecv State = 12
	// BoundInactive selects, in a sock_diag request, sockets that are bound and neither listen nor connect (Linux 6.8).
	// The reply reports them as Closed.
	BoundInactive State = 13
)

// stateName holds one state's name in each vocabulary.
type stateName struct{ rfc, ss, kernel string }

var stateNames = [...]stateName{
	Established:   {"ESTABLISHED", "ESTAB", "TCP_ESTABLISHED"},
	SynSent:       {"SYN-SENT", "SYN-SENT", "TCP_SYN_SENT"},
	SynReceived:   {"SYN-RECEIVED", "SYN-RECV", "TCP_SYN_RECV"},
	FinWait1:      {"FIN-WAIT-1", "FIN-WAIT-1", "TCP_FIN_WAIT1"},
	FinWait2:      {"FIN-WAIT-2", "FIN-WAIT-2", "TCP_FIN_WAIT2"},
	TimeWait:      {"TIME-WAIT", "TIME-WAIT", "TCP_TIME_WAIT"},
	Closed:        {"CLOSED", "UNCONN", "TCP_CLOSE"},
	CloseWait:     {"CLOSE-WAIT", "CLOSE-WAIT", "TCP_CLOSE_WAIT"},
	LastAck:       {"LAST-ACK", "LAST-ACK", "TCP_LAST_ACK"},
	Listen:        {"LISTEN", "LISTEN", "TCP_LISTEN"},
	Closing:       {"CLOSING", "CLOSING", "TCP_CLOSING"},
	newSynRecv:    {"SYN-RECEIVED", "SYN-RECV", "TCP_NEW_SYN_RECV"},
	BoundInactive: {"CLOSED", "UNCONN", "TCP_BOUND_INACTIVE"},
}

// States returns the eleven states in the order in which RFC 9293 lists them.
func States() []State {
	return []State{Listen, SynSent, SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait, Closed}
}

// String returns the name that RFC 9293 gives the state, such as "SYN-RECEIVED"; "UNKNOWN(n)" for a number that has
// none.
func (s State) String() string { return s.name(func(n stateName) string { return n.rfc }) }

// SS returns the name that ss(8) prints, such as "SYN-RECV" or "ESTAB".
func (s State) SS() string { return s.name(func(n stateName) string { return n.ss }) }

// Kernel returns the name in the kernel's source and in its tracepoints, such as "TCP_SYN_RECV".
func (s State) Kernel() string { return s.name(func(n stateName) string { return n.kernel }) }

func (s State) name(pick func(stateName) string) string {
	if s.known() {
		return pick(stateNames[s])
	}
	return fmt.Sprintf("UNKNOWN(%d)", uint8(s))
}

func (s State) known() bool { return s >= Established && int(s) < len(stateNames) }

// MarshalText gives the RFC 9293 name, so that a State is readable in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name in any vocabulary that ParseState knows.
func (s *State) UnmarshalText(b []byte) error {
	v, err := ParseState(string(b))
	if err == nil {
		*s = v
	}
	return err
}

// ParseState reads a state's name as RFC 9293, ss(8), netstat(8) or the kernel writes it, in any case and with "-", "_"
// or nothing between its words: "SYN-RECEIVED", "syn-recv", "SYN_RECV" and "TCP_SYN_RECV" are the same state.
func ParseState(name string) (State, error) {
	if s, ok := stateByName[squeeze(name)]; ok {
		return s, nil
	}
	return 0, fmt.Errorf("unknown TCP state %q", name)
}

var stateByName = func() map[string]State {
	m := map[string]State{}
	// From the last to the first: where two numbers share a name, the RFC's state wins.
	for s := State(len(stateNames) - 1); s.known(); s-- {
		n := stateNames[s]
		m[squeeze(n.kernel)] = s
		m[squeeze(n.ss)] = s
		m[squeeze(n.rfc)] = s
	}
	return m
}()

// squeeze brings the spellings of one name together.
func squeeze(name string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	name = strings.TrimPrefix(name, "TCP_")
	return strings.NewReplacer("-", "", "_", "").Replace(name)
}

// StateMask is a set of states: bit n stands for state n. The zero mask stands for all of them.
type StateMask uint32

// AllStates holds every state, those of half-open and bound-only sockets included. Replies call a bound-only socket
// CLOSED: who takes Closed out of it takes BoundInactive out, too.
const AllStates StateMask = (1<<(BoundInactive+1) - 1<<Established) &^ (1 << newSynRecv)

// MaskOf returns the set of the given states.
func MaskOf(states ...State) StateMask {
	var m StateMask
	for _, s := range states {
		m |= 1 << s
	}
	return m
}

// Has says whether s is in the set.
func (m StateMask) Has(s State) bool { return m == 0 || m&(1<<s) != 0 }

// kernelBits is the set as a sock_diag request states it: a half-open connection and a bound-only socket, which
// replies call SYN-RECEIVED and CLOSED, are asked for by numbers of their own.
func (m StateMask) kernelBits() uint32 {
	if m == 0 {
		m = AllStates
	}
	if m&(1<<SynReceived) != 0 {
		m |= 1 << newSynRecv
	}
	if m&(1<<Closed) != 0 {
		m |= 1 << BoundInactive
	}
	return uint32(m)
}
