package stage

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// line is the server's end of it. What it keeps is bounded, and of nobody who has not shown that datagrams reach him
// where he says he is.
type line struct {
	d       *datagrams
	name    string // the scenario
	patient bool   // this server's user takes his time
	secret  []byte
	done    chan struct{}
	aside   chan func() // what is to be told here, or ended: clients are answered though nobody reads what is told

	mu      sync.Mutex
	waiting []*guest
	known   map[string]*guest // by nonce: those that wait, that play, and that have played and are still there
	run     *run              // the one whose listener is open
	turn    *guest            // whose turn it is
	turns   int
	crowded time.Time // since when somebody waits behind a run that is nobody's turn
	told    int       // how many wait, as it was last said
}

// guest is a client that has asked.
type guest struct {
	came bool // has connected in its turn

	nonce        string
	at           netip.AddrPort // where it asks from
	to           unix.Sockaddr
	control      []byte // which address of ours it asked: the answer comes from there
	scenario     string
	patient      bool // its user takes his time
	translated   bool // its addresses are others on the way
	heard, began time.Time
	turn         int
	asked        int           // how often it was asked whose a connection is
	answers      map[int]bool  // that it is its own
	news         chan struct{} // closed when it has said something
	over         string        // why its turn ended, if that is for it to know
	spoiled      bool          // by a stranger
	reruns       int
}

// newLine opens the line of a server.
func newLine(addr netip.AddrPort, name string, patient bool) (*line, error) {
	l := &line{name: name, patient: patient, secret: make([]byte, 32), known: map[string]*guest{}, done: make(chan struct{}), aside: make(chan func(), 16)}
	rand.Read(l.secret)
	var err error
	l.d, err = newDatagrams(addr, func(s *sockapi.Socket) error {
		s.Control(func(fd uintptr) { // answers come from the address that was asked
			unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		})
		return s.Bind(addr)
	})
	if err != nil {
		return nil, err
	}
	go l.serve()
	go func() {
		for do := range l.aside {
			do()
		}
	}()
	return l, nil
}

func (l *line) close() {
	if l == nil {
		return
	}
	close(l.done)
	l.d.wake()
}

// serve answers until close.
func (l *line) serve() {
	defer l.d.close()
	defer close(l.aside)
	b, control := make([]byte, 1024), make([]byte, 256)
	for looked := time.Now(); ; {
		select {
		case <-l.done:
			return
		default:
		}
		l.d.comes(l.restsFor())
		for range 64 { // then it is time for a look
			n, nc, _, from, err := unix.Recvmsg(l.d.fd, b, control, unix.MSG_DONTWAIT)
			if err != nil || from == nil {
				break
			}
			if words, ok := said(b[:n]); ok && n >= lineRequest {
				l.hear(words, from, slices.Clone(control[:nc]))
			}
		}
		if time.Since(looked) >= lineAgain {
			looked = time.Now()
			l.look(looked)
		}
	}
}

// restsFor is how long nobody need look.
func (l *line) restsFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) == 0 {
		return time.Minute
	}
	return lineAgain
}

// hear answers one datagram.
func (l *line) hear(words []string, from unix.Sockaddr, control []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, nonce := addrOf(from), words[0]
	if len(words) < 3 || len(nonce) != 2*lineNonce {
		return
	}
	cookie := l.cookie(at, nonce)
	g := &guest{nonce: nonce, to: from, control: control}
	if !hmac.Equal([]byte(words[1]), []byte(cookie)) {
		l.say(g, "cookie "+cookie+" "+l.name+" "+dialogue)
		return
	}
	verb, args := words[2], words[3:]
	known := l.known[nonce]
	if known == nil && (verb != "wait" || len(args) != 3) {
		return
	}
	if known == nil && len(l.known) >= lineLength {
		l.say(g, "full")
		return
	}
	if known != nil {
		g = known
	} else {
		g.at, g.news, g.answers = at, make(chan struct{}), map[int]bool{}
		l.known[nonce] = g
	}
	g.heard, g.to, g.control = time.Now(), from, control
	switch {
	case verb == "wait" && len(args) == 3:
		g.scenario, g.patient, g.translated = args[0], args[1] == "patient", args[2] != at.Addr().String()
		l.wait(g)
	case verb == "here" && len(args) == 1 && g.over != "" && args[0] == strconv.Itoa(g.turn):
		l.say(g, "over "+g.over)
	case verb == "mine" && len(args) == 2:
		g.answer(args[0], args[1])
	case verb == "failed":
		l.say(g, l.again(g))
	case verb == "leave":
		l.forget(g)
	}
}

// cookie is what only somebody at that address can know.
func (l *line) cookie(at netip.AddrPort, nonce string) string {
	h := hmac.New(sha256.New, l.secret)
	fmt.Fprint(h, at, nonce)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (l *line) say(g *guest, text string) {
	unix.SendmsgN(l.d.fd, []byte(lineBegins+" "+g.nonce+" "+text), g.control, g.to, unix.MSG_DONTWAIT)
}
