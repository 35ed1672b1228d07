package stage

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
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

// wait gives a place, or the turn.
func (l *line) wait(g *guest) {
	if g != l.turn && !slices.Contains(l.waiting, g) {
		l.waiting = append(l.waiting, g)
		l.next()
	}
	switch n := slices.Index(l.waiting, g); {
	case g == l.turn:
		l.say(g, fmt.Sprint("go ", g.turn))
	case g.scenario != l.name:
		l.say(g, "other")
		l.forget(g)
	case l.turn != nil:
		l.say(g, fmt.Sprint("before ", n+1))
	default:
		l.say(g, fmt.Sprint("before ", n))
	}
}

// next gives the turn to the first, if nobody has it or has come without.
func (l *line) next() {
	if l.turn == nil && l.run != nil && len(l.waiting) > 0 && l.run.unvisited.Load() {
		l.give()
	}
}

// give gives the turn to the first.
func (l *line) give() {
	g := l.waiting[0]
	l.waiting = l.waiting[1:]
	l.turn = g
	l.turns++
	g.turn, g.began, g.over, g.spoiled, g.came = l.turns, time.Now(), "", false, false
	l.run.turn.Store(g)
	l.say(g, fmt.Sprint("go ", g.turn))
}

// answer notes what it says of a connection.
func (g *guest) answer(question, says string) {
	if n, err := strconv.Atoi(question); err == nil && n > 0 && n <= g.asked {
		g.answers[n] = says == "yes"
		close(g.news)
		g.news = make(chan struct{})
	}
}

// again says whether a client whose run has failed is to play once more: where that was a stranger's doing it is the
// next one.
func (l *line) again(g *guest) string {
	switch {
	case slices.Contains(l.waiting, g):
		return "again"
	case !g.spoiled:
		return "no"
	case g.reruns >= lineReruns:
		return "spoiled"
	}
	g.reruns++
	l.waiting = slices.Insert(l.waiting, 0, g)
	return "again"
}

func (l *line) forget(g *guest) {
	delete(l.known, g.nonce)
	l.waiting = slices.DeleteFunc(l.waiting, func(o *guest) bool { return o == g })
	if g == l.turn && l.run != nil && !g.came { // it was told, and has not come
		l.pass()
	}
}

// pass takes the turn from who did not use it.
func (l *line) pass() {
	l.run.turn.Store(nil)
	l.turn = nil
	l.next()
}

// look drops those who have gone, and does not let those wait who have not.
func (l *line) look(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.known {
		if g != l.turn && now.Sub(g.heard) > lineSilence {
			l.forget(g)
		}
	}
	l.next()
	if r := l.run; r != nil {
		if n := len(l.waiting); n != l.told && l.beside(func() { r.sides[timeline.Server].Note("%s", waiting(n)) }) {
			l.told = n
		}
		l.letGo(r, now)
	}
}

// beside has something done that may take its time, unless there is too much of that already.
func (l *line) beside(do func()) bool {
	select {
	case l.aside <- do:
		return true
	default:
		return false
	}
}

func waiting(n int) string {
	switch n {
	case 0:
		return "no client waits any more"
	case 1:
		return "1 client waits for its turn"
	}
	return fmt.Sprintf("%d clients wait for their turn", n)
}

// letGo ends a run for which others need not wait.
func (l *line) letGo(r *run, now time.Time) {
	g := l.turn
	if g != nil && !g.came {
		if silent := now.Sub(g.heard) > lineSilence; silent || now.Sub(g.began) > lineConnects && !g.patient && len(l.waiting) > 0 {
			if g.over = "it did not connect in its turn"; silent {
				delete(l.known, g.nonce)
			}
			l.pass()
		}
		return
	} else if r.unvisited.Load() || len(l.waiting) == 0 {
		l.crowded = time.Time{}
		return
	}
	switch {
	case g == nil && l.crowded.IsZero():
		l.crowded = now
	case g == nil && now.Sub(l.crowded) > lineStranger && !l.patient:
		why := fmt.Errorf("%w: it had not asked for its turn, and another client waits", ErrLeft)
		if r.sides[timeline.Server].asked.Load() {
			why = fmt.Errorf("%w, or takes its time without having asked for its turn; another client waits", ErrGone)
		}
		l.beside(func() { r.cancel(why) })
	case g != nil && now.Sub(g.heard) > lineSilence:
		g.over = "it was silent, and others waited"
		l.beside(func() { r.cancel(ofClient(ErrGone, g.at)) })
	case g != nil && !g.patient && !l.patient && now.Sub(g.began) > lineTurn:
		g.over = fmt.Sprintf("it took more than %v, and others waited", lineTurn)
		l.beside(func() { r.cancel(fmt.Errorf("the client %s has taken more than %v, and others wait", g.at, lineTurn)) })
	}
}

// listens says that the run's listener is open: now its client may come.
func (l *line) listens(r *run) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run, l.crowded = r, time.Time{}
	if len(l.waiting) > 0 { // whoever is in the queue already has not asked
		l.give()
	}
}

// ended says that the run is over. After one that failed its client is given a moment to end, too: nobody is to come
// while it may yet connect.
func (l *line) ended(ctx context.Context, r *run, err error) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.turn
	l.run, l.turn = nil, nil
	if g == nil || err == nil {
		return
	}
	if errors.Is(err, ErrStranger) && g.over == "" {
		g.over = "stranger"
	}
	began := time.Now()
	for l.known[g.nonce] == g && !slices.Contains(l.waiting, g) && time.Since(g.heard) < lineSilence && ctx.Err() == nil {
		switch lasted := time.Since(began); {
		case lasted > lineEnds:
			return // it has been told
		case lasted > lineEnds/2 && g.over == "":
			g.over = fmt.Sprintf("its run has failed there: %.200s", err)
		}
		l.mu.Unlock()
		pauseUntil(ctx, time.Now().Add(tick))
		l.mu.Lock()
	}
}

// own tells whether a connection that has come is the client's whose turn it is. The client is asked; one that does not
// answer is given the benefit of the doubt.
func (l *line) own(g *guest, from netip.AddrPort) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.translated {
		g.came = true
		return true
	}
	g.asked++
	question := g.asked
	for deadline := time.Now().Add(lineSilence); time.Now().Before(deadline) && l.known[g.nonce] == g; {
		if mine, said := g.answers[question]; said {
			delete(g.answers, question)
			g.came = g.came || mine
			return mine
		}
		l.say(g, fmt.Sprintf("whose %d %s", question, tcpinfo.Canonical(from)))
		news := g.news
		l.mu.Unlock()
		select {
		case <-news:
		case <-time.After(lineAgain):
		}
		l.mu.Lock()
	}
	return true
}

// crowd tells whether somebody waits.
func (l *line) crowd() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) > 0
}

// spoil notes that a stranger came in this client's turn.
func (l *line) spoil(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.spoiled = true
}
