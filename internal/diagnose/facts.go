// Package diagnose says what is the matter with a TCP socket, and who must act, by what was observed of it: what
// sock_diag said, who has it open, its listener, its other end, and for how long. It observes nothing itself, and says
// nothing that does not follow.
package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"socklife/internal/owner"
	"socklife/tcpinfo"
)

// Facts are what was observed of one socket.
type Facts struct {
	tcpinfo.Socket
	Owners []owner.Holder // that this user may see
	Words  *Words         // the same in words, if that was put so already
	Had    []owner.Holder // of what nobody has open any more: those that were seen to
	Asked  bool           // who has it open was asked since it is there
	Root   bool           // this user may see all

	For    time.Duration // how long it has been in its state, at least
	Exact  bool          // it was seen to come into its state
	Queue  time.Duration // how long it has been waiting for accept(), at least; 0 if it does not
	Unread time.Duration // for how long nothing of what is in its receive queue has been read, at least, as far as that was watched
	Reads  bool          // it was seen that some of it was read
	Held   time.Duration // how long its timer has been running in vain, or persist has been without a byte that got through, as far as that was watched

	Listener *Facts // that it came in through, if it is one's child; nil if there is none, or several
	Other    *Facts // the socket at the other end, if that is on this host
	Reaches  *Facts // of SYN-SENT: the listener on this host that the SYN is for

	Half    int           // of a listener: half-open connections
	Waiting time.Duration // of a listener: how long one has been waiting for accept(), at least

	Alike  Share // of TIME-WAIT: connections to the same address, and the ports that there are for them
	Reused bool  // of TIME-WAIT: connect() may take its port over (tcp_tw_reuse)
	All    Share // of TIME-WAIT: in the whole network namespace, and how many there may be
}

// Share is how many there are, of so many; 0 of 0 where that is not known.
type Share struct{ N, Of int }

// above says whether it is more than so many hundredths.
func (s Share) above(percent int) bool { return s.Of > 0 && s.N*100 > s.Of*percent }

// Lasting is what tells what stays from what is in passing.
const Lasting = time.Second

// Pause is how long an application that was seen to send, or to read, may do nothing of it before it is taken not to go
// on.
const Pause = 10 * time.Second

// reads says whether somebody was seen to read not long ago.
func (f *Facts) reads() bool { return f.Reads && f.Unread < Pause }

// hasSent says whether data was sent less than that ago.
func (f *Facts) hasSent(less time.Duration) bool {
	return f.Info != nil && f.Info.DataSegsOut > 0 && f.Info.LastDataSent < less
}

// lasts says whether the socket has been in its state for so long that it is not in passing.
func (f *Facts) lasts() bool { return f.For >= Lasting }

// held says whether somebody has the socket open: the kernel has an inode for it then.
func (f *Facts) held() bool { return f.Inode != 0 }

// who is whose socket it is: with its descriptor, and, for several sockets of the same process, without.
func (f *Facts) who() (one, many string) {
	switch {
	case f.Words != nil:
		return f.Words.one, f.Words.many
	case len(f.Owners) > 0:
		w := WordsOf(f.Owners)
		return w.one, w.many
	case !f.held():
		return "no process", "no process"
	case !f.Asked:
		return "a process that is not known yet", "a process that is not known yet"
	case f.Root:
		s := fmt.Sprintf("a process that was not found, of user %d,", f.UID)
		return s, s
	}
	s := fmt.Sprintf("a process of user %d (root sees which)", f.UID)
	return s, s
}

// each is for whoever of them is the subject of a sentence.
func (f *Facts) each(who string) string {
	if len(f.Owners) > 1 && strings.Contains(who, " and ") {
		return "each of " + who
	}
	return who
}

// Words are who has a socket open: with the descriptor, and, for several sockets of the same process, without.
type Words struct{ one, many string }

// WordsOf puts that into words.
func WordsOf(owners []owner.Holder) *Words {
	return &Words{list(owners, owner.Holder.String), list(owners, owner.Holder.Name)}
}

// list names no more than two.
func list(all []owner.Holder, name func(owner.Holder) string) string {
	var names []string
	for _, h := range all {
		if s := name(h); !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	if n := len(names); n > 2 {
		names = append(names[:1], fmt.Sprintf("%d others", n-1))
	}
	return strings.Join(names, " and ")
}

// unread is how many bytes of data the application has not read; the FIN is none.
func (f *Facts) unread() uint32 {
	if f.RecvQ > 0 && f.Shutdown != nil && *f.Shutdown&tcpinfo.RcvShutdown != 0 {
		return f.RecvQ - 1
	}
	return f.RecvQ
}

// Unaccepted says whether a connection is in an accept queue: nobody has it open, and nobody has closed it.
func (f *Facts) Unaccepted() bool {
	switch f.State {
	case tcpinfo.Established, tcpinfo.CloseWait:
		return !f.held()
	case tcpinfo.SynReceived: // with a TCP_INFO it came by TCP Fast Open, and is no entry of the SYN queue
		return !f.held() && f.Info != nil
	}
	return false
}

// Full says whether a listener's accept queue is.
func (f *Facts) Full() bool {
	return tcpinfo.Backlog{AcceptQueue: f.RecvQ, AcceptLimit: f.SendQ}.Full()
}

// since is how long ago TCP_INFO says that something was; not without it.
func (f *Facts) since(when func(*tcpinfo.Info) time.Duration) time.Duration {
	if f.Info == nil {
		return 0
	}
	return when(f.Info)
}

func dataRecv(i *tcpinfo.Info) time.Duration { return i.LastDataRecv }
func ackRecv(i *tcpinfo.Info) time.Duration  { return i.LastAckRecv }

// Entered is how long a connection has been in its state at least, by TCP_INFO alone. The last ACK that came is no
// older than the state: in CLOSE-WAIT the FIN carried one, in FIN-WAIT-2 it was the FIN's, and of a connection that
// waits for accept it was the handshake's, or a later one. In SYN-RECEIVED none has come.
func Entered(s *tcpinfo.Socket) time.Duration {
	if s.Info == nil {
		return 0
	}
	switch s.State {
	case tcpinfo.CloseWait, tcpinfo.FinWait2, tcpinfo.Established:
		return s.Info.LastAckRecv
	case tcpinfo.SynReceived: // by TCP Fast Open: nothing came since the SYN
		return s.Info.LastDataRecv
	}
	return 0
}
