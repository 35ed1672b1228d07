package stage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Whose turn it is: the lock is the line's, and those without a word on it are called with it held.

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
