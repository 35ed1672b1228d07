package survey

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/diagnose"
	"socklife/tcpinfo"
)

// glance is what it takes to look at little. A dump of busy connections is most of a look's cost, and says nothing that
// is news: their queues fill and empty. So between two whole looks, which are a second apart at most, only what is not
// ESTABLISHED is dumped; whether a connection was opened, ended or sent again meanwhile, the namespace's counters say.
// Where anything is otherwise than it was, a whole look follows at once.
type glance struct {
	whole    time.Time         // the last whole look
	calm     bool              // it had no news, and missed nothing that was there before
	counters counts            // before that
	counted  bool              // they could be read
	others   int               // sockets that it found, other than in ESTABLISHED
	v6       tcpinfo.StateMask // in what states there were sockets of IPv6
}

// wholeEvery is how old what is known of an ESTABLISHED connection may be: nothing that is the matter with one is
// called STUCK before it has lasted for so long.
const wholeEvery = diagnose.Lasting

// The states that a glance is about.
const unsettled = tcpinfo.AllStates &^ (1<<tcpinfo.Established | 1<<tcpinfo.Closed | 1<<tcpinfo.BoundInactive)

// counted are the counters that move when a connection is opened, ended or sent again.
var counted = [...]string{"ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab", "RetransSegs"}

type counts [len(counted)]string

// counters reads them from the lines of /proc/net/snmp, names and then values, that begin with Tcp: .
func counters() (c counts, ok bool) {
	text, err := os.ReadFile("/proc/thread-self/net/snmp")
	if err != nil {
		return c, false
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		switch words := strings.Fields(line); {
		case len(words) == 0 || words[0] != "Tcp:":
		case names == nil:
			names = words
		default:
			for i, name := range counted {
				n := slices.Index(names, name)
				if n < 0 || n >= len(words) {
					return c, false
				}
				c[i] = words[n]
			}
			return c, true
		}
	}
	return c, false
}

// Whole makes the next look a whole one, and has it ask who has what open.
func (s *Survey) Whole() { s.glance.calm, s.owners.last = false, time.Time{} }

// begins keeps what a later glance compares with: the counters, before a whole look.
func (g *glance) begins(now time.Time) {
	g.whole = now
	g.counters, g.counted = counters()
}

// ends does the same after it.
func (g *glance) ends(s *Survey, all []*diagnose.Facts, t *Turn) {
	g.calm, g.others, g.v6 = len(t.Changes) == 0 && len(s.known) == len(all), 0, 0
	for _, f := range all {
		if unsettled.Has(f.State) {
			g.others++
		}
		if f.Family == unix.AF_INET6 {
			g.v6 |= tcpinfo.MaskOf(f.State)
		}
	}
}

// same says whether everything is as the last look left it, as far as a glance sees.
func (s *Survey) same(now time.Time) bool {
	g := &s.glance
	if !g.calm || !g.counted || now.Sub(g.whole) >= wholeEvery {
		return false
	}
	if now, ok := counters(); !ok || now != g.counters {
		return false
	}
	found := 0
	for _, f := range g.asks(s.cfg.port()) {
		for k, err := range s.diag.Sockets(f) {
			if err != nil || !s.asBefore(k) {
				return false
			}
			found++
		}
	}
	return found == g.others
}

// asks are the dumps of a glance. The kernel walks its whole table for a family that nobody uses, too.
func (g *glance) asks(port uint16) []tcpinfo.Filter {
	list := []tcpinfo.Filter{{Family: unix.AF_INET, States: unsettled, With: tcpinfo.WithNothing, Port: port}}
	switch listen := tcpinfo.MaskOf(tcpinfo.Listen); {
	case g.v6 == 0:
	case g.v6 == listen:
		list = append(list, tcpinfo.Filter{Family: unix.AF_INET6, States: listen, With: tcpinfo.WithNothing, Port: port})
	default:
		list = append(list, tcpinfo.Filter{Family: unix.AF_INET6, States: unsettled, With: tcpinfo.WithNothing, Port: port})
	}
	return list
}

// asBefore compares a socket with what is known of it, but for the queues of a connection.
func (s *Survey) asBefore(k *tcpinfo.Socket) bool {
	was := s.known[k.Cookie]
	if was == nil || was.state != k.State || was.inode != k.Inode || was.timer.Kind == tcpinfo.TimerPersist != (k.Timer.Kind == tcpinfo.TimerPersist) || was.timer.Retrans != k.Timer.Retrans {
		return false
	}
	return k.State != tcpinfo.Listen || was.recvQ == k.RecvQ && was.sendQ == k.SendQ
}

// timeWaits is how many connections are in TIME-WAIT in the network namespace; 0 where that cannot be read.
func timeWaits() int {
	text, _ := os.ReadFile("/proc/thread-self/net/sockstat")
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if at := slices.Index(words, "tw"); at > 0 && at+1 < len(words) && words[0] == "TCP:" {
			n, _ := strconv.Atoi(words[at+1])
			return n
		}
	}
	return 0
}
