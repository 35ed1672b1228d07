// Package timeline puts what happens, whoever saw it, into one order.
//
// An [Event] is a system call, a state the kernel reported, a segment, a check, … of one [Side]. A [Log] receives
// events from any goroutine, orders them and hands them to its sinks: a terminal, JSON Lines, a recorder.
// The JSON of an event is the program's contract with other programs: docs/events.md describes it.
package timeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Side is whose event it is.
type Side string

const (
	Client Side = "client"
	Server Side = "server"
	Wire   Side = "wire"
	Host   Side = "host" // somebody else's sockets on this host, of either end: echoc watch
)

// Other returns the opposite end.
func (s Side) Other() Side {
	if s == Client {
		return Server
	}
	return Client
}

// Kind is what sort of event it is: call, state, …; each has a body type of its own.
type Kind string

// Body is what an event of one kind carries.
type Body interface{ Kind() Kind }

// Event is one thing that happened.
type Event struct {
	Seq  int64         // 1, 2, …; 0 of what is above a record's events
	At   time.Duration // since the run began; never decreases from one event of a run to the next
	Time time.Time     // the same moment by the wall clock
	Late time.Duration // how long before that it happened, if it was reported too late for its place
	Side Side
	Body Body
}

// Begin is time 0 of a run.
type Begin struct {
	Scenario string `json:"scenario,omitempty"`
}

// Enter is where a call entered the kernel, if something came before it returned. Args are those that were passed in.
type Enter struct {
	ID   int64    `json:"id"`
	Call string   `json:"call"`
	Args []string `json:"args"`
	FD   int      `json:"fd"`

	Socket int `json:"socket,omitempty"` // which one of the run's it is about
	Label
}

// Call is a system call that has returned. Args are in strace's notation. While it is being made those who see it have
// it as a value, too; of a call that was read from a record there is none, so that no view asks for it.
type Call struct {
	Call   string   `json:"call"`
	Args   []string `json:"args"`
	FD     int      `json:"fd"`
	Ret    int      `json:"ret"`
	Errno  string   `json:"errno,omitempty"`
	TookUS float64  `json:"took_us"`
	Label

	ID        int64 `json:"id"`         // the same as its Enter's, if there is one
	EnteredUS int64 `json:"entered_us"` // where it entered the kernel, on the clock of at_us

	Socket    int `json:"socket,omitempty"`     // which one of the run's it is about: see [Sockets]
	NewSocket int `json:"new_socket,omitempty"` // which one the descriptor is of that accept4 or dup returned

	Split bool          `json:"-"` // there is an Enter
	Sys   *sockapi.Call `json:"-"`

	flight *InFlight
}

// State is what a source said of a socket. From is 0, and absent in JSON, where the socket was seen for the first time.
// From and To are the same where the state stayed and its timer, queues or shutdown bits are the news.
type State struct {
	Local     netip.AddrPort `json:"local"` // invalid, which is "" in JSON, for an address that the socket does not have
	Remote    netip.AddrPort `json:"remote,omitzero"`
	From      tcpinfo.State  `json:"from,omitzero"`
	To        tcpinfo.State  `json:"to"`
	Source    string         `json:"source"`
	Timer     string         `json:"timer,omitempty"`
	TimerFor  string         `json:"timer_for,omitempty"`
	ExpiresMS *int64         `json:"expires_ms,omitempty"`
	Retrans   *int           `json:"retrans,omitempty"`
	RecvQ     *uint32        `json:"recv_q,omitempty"`
	SendQ     *uint32        `json:"send_q,omitempty"`
	Shutdown  []string       `json:"shutdown,omitzero"` // the kernel's RCV_SHUTDOWN, SEND_SHUTDOWN; absent if not reported

	Socket        int    `json:"socket,omitempty"`         // which one of the run's it is: see [Sockets]
	FromSource    string `json:"from_source,omitempty"`    // who told From, if not Source
	DetailsSource string `json:"details_source,omitempty"` // who told the timer, the queues and the shutdown bits, if not Source
	Ended
	Label

	Info json.RawMessage `json:"info,omitempty"` // TCP_INFO, every field, where that was asked for: see [Log.Detail]
}

// Ends are the two addresses of a socket, as it has them.
type Ends struct{ Local, Remote netip.AddrPort }

// Ends are the addresses of the socket that the state is of, in the spelling that all sources can be compared in.
func (b *State) Ends() Ends { return Between(b.Local, b.Remote) }

// Between are the ends of a socket with these addresses, in that spelling.
func Between(local, remote netip.AddrPort) Ends {
	return Ends{tcpinfo.Canonical(local), tcpinfo.Canonical(remote)}
}

// Other are the addresses as the socket at the other end has them.
func (e Ends) Other() Ends { return Ends{e.Remote, e.Local} }

// Client is the client's address, of the ends as a side has them.
func (e Ends) Client(of Side) netip.AddrPort {
	if of == Server {
		return e.Remote
	}
	return e.Local
}

// Queue is the backlog of a listener.
type Queue struct {
	Local       netip.AddrPort `json:"local"`
	AcceptQueue uint32         `json:"accept_queue"`
	AcceptLimit uint32         `json:"accept_limit"`
	SynQueue    *int           `json:"syn_queue,omitempty"`
	Socket      int            `json:"socket,omitempty"` // which one of the run's it is: see [Sockets]
	Label
}

// Full says whether the accept queue is: it holds one more than its limit.
func (b *Queue) Full() bool { return b.AcceptQueue > b.AcceptLimit }

// Segment is a TCP segment that was on the wire. Seq and Ack are as the reader asked for them: relative or absolute. In
// JSON the sequence number is RFC 9293's SEG.SEQ: seq is the number of the event.
type Segment struct {
	Src   netip.AddrPort `json:"src"`
	Dst   netip.AddrPort `json:"dst"`
	Flags []string       `json:"flags"`
	Seq   uint32         `json:"seg_seq"`
	Ack   *uint32        `json:"ack,omitempty"`
	Len   int            `json:"len"`
	Win   uint32         `json:"win"`

	// The numbers from which Seq and Ack count, modulo 2^32, in a lesson that names one origin for all its connections.
	SeqBase *uint32 `json:"seq_base,omitempty"`
	AckBase *uint32 `json:"ack_base,omitempty"`

	Unscaled bool `json:"win_unscaled,omitempty"` // Win is as in the header: the SYNs, which have the scale, were not seen

	Options []string `json:"options,omitempty"`
	Fate    string   `json:"fate,omitempty"`
	Label

	Injected bool `json:"injected,omitempty"` // the wire delivered it, and Src did not send it

	From   Side     `json:"sender,omitempty"` // the end that sent it
	Marks  []string `json:"marks,omitempty"`  // what is remarkable: what it is in the light of those before; that it was injected
	Header string   `json:"header,omitempty"` // the TCP header as it was, in hexadecimal
}

// flagOrder is how Wireshark and tshark write them: SYN ACK, FIN ACK, PSH ACK.
var flagOrder = []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// Numbers are its flags and numbers, in one line.
func (b *Segment) Numbers() string {
	words := slices.SortedStableFunc(slices.Values(b.Flags), func(f, g string) int {
		return slices.Index(flagOrder, f) - slices.Index(flagOrder, g)
	})
	words = append(words, "seq="+number(b.Seq, b.SeqBase))
	if b.Ack != nil {
		words = append(words, "ack="+number(*b.Ack, b.AckBase))
	}
	if b.Len > 0 {
		words = append(words, fmt.Sprintf("len=%d", b.Len))
	}
	window := fmt.Sprintf("win=%d", b.Win)
	if b.Unscaled {
		window += "*?"
	}
	return strings.Join(append(words, window), " ")
}

// number is a sequence number; one that is older than the origin they count from is negative.
func number(n uint32, origin *uint32) string {
	if origin != nil {
		return fmt.Sprint(int32(n))
	}
	return fmt.Sprint(n)
}

// News are the options that say something new, as the timestamps of every segment do not.
func (b *Segment) News() (some []string) {
	for _, o := range b.Options {
		if !strings.HasPrefix(o, "TS val ") || slices.Contains(b.Flags, "SYN") {
			some = append(some, o)
		}
	}
	return some
}

// Line is a segment in one line: its flags and numbers, <its options>, [what is remarkable].
func (b *Segment) Line() string {
	line := b.Numbers()
	if news := b.News(); len(news) > 0 {
		line += " <" + strings.Join(news, ", ") + ">"
	}
	for _, m := range b.Marks {
		line += " [" + m + "]"
	}
	return line
}

// Counter is how much a counter of /proc/net/netstat or snmp rose: of the whole network namespace, not of a socket.
type Counter struct {
	Name  string `json:"name"`
	Delta int64  `json:"delta"`
}

// Note is one sentence of explanation.
type Note struct {
	Text    string `json:"text"`
	Heading bool   `json:"heading,omitempty"` // what follows is another part of the lesson
}

// Check is an expectation and what the kernel did.
type Check struct {
	Expect string `json:"expect"`
	Got    string `json:"got"`
	OK     bool   `json:"ok"`
	Met    string `json:"met,omitempty"` // Expect less the states that would have been right too and did not come
}

// Says is what was expected or, where more than one state was right, what came and why.
func (b *Check) Says() string {
	if b.OK && b.Met != "" {
		return b.Met
	}
	return b.Expect
}

// Coverage is one state, or one transition, of the tour's table.
type Coverage struct {
	State    tcpinfo.State `json:"state,omitzero"`
	From     tcpinfo.State `json:"from,omitzero"`
	To       tcpinfo.State `json:"to,omitzero"`
	Seen     bool          `json:"seen"`
	Scenario string        `json:"scenario,omitempty"`
	Source   string        `json:"source,omitempty"`
	WhyNot   string        `json:"why_not,omitempty"`
	Causes   []Cause       `json:"causes,omitempty"` // of a transition: what brought it about, as far as that was seen
}

// Cause is what brought a transition about, and the first scenario in which that was seen.
type Cause struct {
	By       string `json:"by"`
	Scenario string `json:"scenario"`
}

// Summary ends every run.
type Summary struct {
	Scenario string `json:"scenario"`
	OK       bool   `json:"ok"`
	Checks   int    `json:"checks"`
	Failed   int    `json:"failed"`
	Why      string `json:"why,omitempty"`     // why it is not OK, in one line; Interrupted if the user ended it
	Options  string `json:"options,omitempty"` // the user's socket options, with which the run was an experiment
}

// Interrupted is why a run ended that its user ended: with Ctrl-C, q or SIGTERM.
const Interrupted = "interrupted"

func (*Begin) Kind() Kind    { return "begin" }
func (*Enter) Kind() Kind    { return "enter" }
func (*Call) Kind() Kind     { return "call" }
func (*State) Kind() Kind    { return "state" }
func (*Queue) Kind() Kind    { return "queue" }
func (*Segment) Kind() Kind  { return "segment" }
func (*Counter) Kind() Kind  { return "counter" }
func (*Note) Kind() Kind     { return "note" }
func (*Check) Kind() Kind    { return "check" }
func (*Coverage) Kind() Kind { return "coverage" }
func (*Summary) Kind() Kind  { return "summary" }

// MarshalJSON writes the header's fields, then the body's, as one flat object.
func (e Event) MarshalJSON() ([]byte, error) {
	if f, ok := e.Body.(*Foreign); ok {
		return f.JSON, nil
	}
	head, err := marshal(struct {
		Seq    int64  `json:"seq"`
		AtUS   int64  `json:"at_us"`
		Time   string `json:"time"`
		LateUS int64  `json:"late_us,omitempty"`
		Side   Side   `json:"side"`
		Kind   Kind   `json:"kind"`
	}{e.Seq, e.At.Microseconds(), e.Time.Format("2006-01-02T15:04:05.000000000Z07:00"), e.Late.Microseconds(), e.Side, e.Body.Kind()})
	if err != nil {
		return nil, err
	}
	body, err := marshal(e.Body)
	if err != nil {
		return nil, err
	}
	if len(body) == len("{}") {
		return head, nil
	}
	head[len(head)-1] = ','
	return append(head, body[1:]...), nil
}

// marshal is json.Marshal that leaves <, > and & as they are: the lines are for programs and eyes, not for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escaped(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escaped has DEL and what follows it up to U+009F as \u007f, which is the same in JSON: to a terminal they are
// commands. So has U+FFFD, as \ufffd: that is what the encoder makes of broken UTF-8, and it is the same when it was
// read and is written again.
func escaped(line []byte) []byte {
	control := func(r rune) bool { return r >= 0x7f && r < 0xa0 || r == utf8.RuneError }
	if !bytes.ContainsFunc(line, control) {
		return line
	}
	var b bytes.Buffer
	for _, r := range string(line) { // valid UTF-8: the encoder sees to that
		if control(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}
