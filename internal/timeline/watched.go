package timeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"socklife/tcpinfo"
)

// Watched is what was seen of anybody's socket, when that is news: From is absent where the socket is seen for the
// first time, and To is the state that it had last where it is gone.
type Watched struct {
	Socket int            `json:"socket"`
	What   string         `json:"what"` // there (at the first look), new, changed, gone
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote,omitzero"`
	From   tcpinfo.State  `json:"from,omitzero"`
	To     tcpinfo.State  `json:"to"`

	ForMS int64 `json:"for_ms"`          // in this state, at least
	Exact bool  `json:"exact,omitempty"` // it was seen to come into it
	Told  bool  `json:"told,omitempty"`  // the tracepoint has told of the state already

	UnacceptedMS *int64 `json:"unaccepted_ms,omitempty"` // in an accept queue, at least

	Timer     string   `json:"timer,omitempty"`
	ExpiresMS *int64   `json:"expires_ms,omitempty"`
	Retrans   *int     `json:"retrans,omitempty"`
	RecvQ     *uint32  `json:"recv_q,omitempty"`
	SendQ     *uint32  `json:"send_q,omitempty"`
	Shutdown  []string `json:"shutdown,omitzero"`

	SndWnd       *uint32 `json:"snd_wnd,omitempty"`
	RcvWnd       *uint32 `json:"rcv_wnd,omitempty"`
	RTTUS        *int64  `json:"rtt_us,omitempty"`
	TotalRetrans *uint32 `json:"total_retrans,omitempty"`

	AcceptQueue *uint32 `json:"accept_queue,omitempty"`
	AcceptLimit *uint32 `json:"accept_limit,omitempty"`
	SynQueue    *int    `json:"syn_queue,omitempty"`

	Inode  uint32   `json:"inode,omitempty"`
	UID    *uint32  `json:"uid,omitempty"`
	Owners []Holder `json:"owners,omitempty"`

	Server bool `json:"server,omitempty"` // it listens, or came in through a listener, as far as that shows

	OtherSocket int           `json:"other_socket,omitempty"` // the one at the other end, if that is on this host and was asked for
	Other       tcpinfo.State `json:"other_state,omitzero"`   // of the socket at the other end, if that is on this host
	OtherOwners []Holder      `json:"other_owners,omitempty"`

	Grade   string `json:"grade"`   // healthy, waiting, stuck
	Finding string `json:"finding"` // the word that echoc --explain takes
	Says    string `json:"says"`
	Detail  string `json:"detail,omitempty"`
	Who     string `json:"who"` // must act

	Shown *Shown `json:"shown,omitempty"` // where it is kept to be shown again
}

// Shown is what a view shows besides.
type Shown struct {
	By    string   `json:"by,omitempty"`    // Says begins with it: whose socket it is
	All   string   `json:"all,omitempty"`   // the same for several sockets of the process
	Had   []Holder `json:"had,omitempty"`   // the owners that it had last
	Other *End     `json:"other,omitempty"` // the socket at the other end
}

// End is the socket at the other end of one.
type End struct {
	Timer        string   `json:"timer,omitempty"`
	ExpiresMS    *int64   `json:"expires_ms,omitempty"`
	Retrans      *int     `json:"retrans,omitempty"`
	RecvQ        uint32   `json:"recv_q"`
	SendQ        uint32   `json:"send_q"`
	SndWnd       *uint32  `json:"snd_wnd,omitempty"`
	RcvWnd       *uint32  `json:"rcv_wnd,omitempty"`
	TotalRetrans *uint32  `json:"total_retrans,omitempty"`
	Had          []Holder `json:"had,omitempty"`
}

// Ends are the addresses of the socket, as those of a [State] are.
func (b *Watched) Ends() Ends { return Between(b.Local, b.Remote) }

// Look ends what a look has found, if that is anything, or it was the first.
type Look struct {
	Look    int            `json:"look"`    // which one: 1, 2, …
	Sockets int            `json:"sockets"` // how many there are now
	Stuck   int            `json:"stuck"`
	Waiting int            `json:"waiting"`
	Healthy int            `json:"healthy"`
	States  map[string]int `json:"states"`
}

// Holder is a process that has a socket open.
type Holder struct {
	Process string `json:"process"`
	PID     int    `json:"pid"`
	FD      int    `json:"fd"`
}

// Tally is how many sockets there were of what, at the end of a watch.
type Tally struct {
	Looks   int            `json:"looks"`
	Sockets int            `json:"sockets"` // at the last look
	Stuck   int            `json:"stuck"`
	Waiting int            `json:"waiting"`
	Healthy int            `json:"healthy"`
	States  map[string]int `json:"states"`
	Came    int            `json:"came"`
	Went    int            `json:"went"`
	EveryUS int64          `json:"every_us,omitempty"` // from one look to the next, if there was to be another

	Transitions     *uint64 `json:"transitions,omitempty"`      // that the tracepoint told, with --trace
	LostTransitions uint64  `json:"lost_transitions,omitempty"` // of any socket, at least
	Unplaced        uint64  `json:"unplaced,omitempty"`         // transitions of which it could not be known whether they were in this network namespace
	Segments        *uint64 `json:"segments,omitempty"`         // that were captured, with --capture
	LostSegments    uint64  `json:"lost_segments,omitempty"`
}

func (*Watched) Kind() Kind { return "socket" }
func (*Look) Kind() Kind    { return "look" }
func (*Tally) Kind() Kind   { return "tally" }

// mostMS is the longest time that there is, in milliseconds.
const mostMS = math.MaxInt64 / int64(time.Millisecond)

// wrong is what cannot be in an event that was read.
func (b *Watched) wrong() error {
	switch b.Grade {
	case "healthy", "waiting", "stuck":
	default:
		return fmt.Errorf("grade %q is none of healthy, waiting and stuck", b.Grade)
	}
	err := cmp.Or(stateIn(b.To), from0("for_ms", &b.ForMS, mostMS), from0("unaccepted_ms", b.UnacceptedMS, mostMS), from0("expires_ms", b.ExpiresMS, mostMS),
		from0("retrans", b.Retrans, math.MaxUint8), from0("syn_queue", b.SynQueue, math.MaxInt))
	if s := b.Shown; s != nil && s.Other != nil {
		err = cmp.Or(err, from0("expires_ms", s.Other.ExpiresMS, mostMS), from0("retrans", s.Other.Retrans, math.MaxUint8))
	}
	return err
}

func (b *Look) wrong() error {
	return cmp.Or(from0("look", &b.Look, math.MaxInt), counts(b.Sockets, b.Stuck, b.Waiting, b.Healthy, b.States))
}

func (b *Tally) wrong() error {
	return cmp.Or(from0("looks", &b.Looks, math.MaxInt), counts(b.Sockets, b.Stuck, b.Waiting, b.Healthy, b.States),
		from0("came", &b.Came, math.MaxInt), from0("went", &b.Went, math.MaxInt), from0("every_us", &b.EveryUS, mostUS))
}

func counts(sockets, stuck, waiting, healthy int, states map[string]int) error {
	err := cmp.Or(from0("sockets", &sockets, math.MaxInt), from0("stuck", &stuck, math.MaxInt), from0("waiting", &waiting, math.MaxInt),
		from0("healthy", &healthy, math.MaxInt))
	for _, n := range states {
		err = cmp.Or(err, from0("states", &n, math.MaxInt))
	}
	return err
}

func (b *State) wrong() error { return stateIn(b.To) }

// stateIn says so if an event about a state has none.
func stateIn(s tcpinfo.State) error {
	if s == 0 {
		return errors.New("no state in it")
	}
	return nil
}

// from0 says so if there is such a number, and it is none from 0 to most.
func from0[T int | int64](name string, n *T, most T) error {
	if n != nil && (*n < 0 || *n > most) {
		return fmt.Errorf("%s %d is not from 0 to %d", name, *n, most)
	}
	return nil
}
