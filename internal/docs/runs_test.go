package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A run may come out differently within what is right: which of two states was seen, which side was faster. So a block
// is true if one of several runs tells the same.
const (
	attempts     = 30
	slowAttempts = 12 // of what takes longer than slow
	slow         = 2 * time.Second
)

// group is the blocks, on whatever pages, that show the same run.
type group struct {
	what   string
	exit   int
	root   bool
	blocks []block
}

func groups(list []block) (all []*group) {
	by := map[string]*group{}
	for _, b := range list {
		if by[b.what] == nil {
			by[b.what] = &group{what: b.what, exit: b.exit, root: b.root}
			all = append(all, by[b.what])
		}
		by[b.what].blocks = append(by[b.what].blocks, b)
	}
	return all
}

func TestEveryTranscriptIsARun(t *testing.T) {
	if testing.Short() {
		t.Skip("plays all that is shown, which takes a minute")
	}
	if !*update { // which writes what others read
		t.Parallel()
	}
	for _, g := range groups(all(t, "run")) {
		t.Run(g.what, func(t *testing.T) {
			if !*update {
				beside(t)
			}
			if *update && *renew {
				g.renew(t)
				return
			}
			untrue := g.untrue(t)
			switch {
			case len(untrue) == 0:
			case *update:
				g.renew(t)
			default:
				t.Errorf("%s\ngo test ./internal/docs -update rewrites it", strings.Join(untrue, "\n"))
			}
		})
	}
}

// untrue plays the run until each block has come out as it stands, and says which have not, and why.
func (g *group) untrue(t *testing.T) (why []string) {
	t.Helper()
	for _, b := range g.blocks {
		if b.body == "" {
			return []string{b.String() + ": there is nothing in it"}
		}
	}
	left, most := g.blocks, attempts
	if *update {
		most = slowAttempts
	}
	begin := time.Now()
	for n := 1; len(left) > 0 && n <= most && (n <= slowAttempts || time.Since(begin) < time.Duration(n)*slow); n++ {
		p := g.play(t, false)
		var still []block
		why = nil
		for _, b := range left {
			if d := b.differs(p); d != "" {
				still, why = append(still, b), append(why, fmt.Sprintf("%s:%d: %s", b.page, b.line, d))
			}
		}
		left = still
	}
	return why
}

// play plays the run once, or skips the test where it cannot be played.
func (g *group) play(t *testing.T, exactly bool) played {
	t.Helper()
	if g.root && os.Geteuid() != 0 {
		t.Skip("an ordinary user is shown less: run it as root")
	}
	p := play(t, g.what, exactly)
	if p.cannot != "" && g.exit != 3 {
		t.Skip(p.cannot)
	}
	return p
}

// differs says what the block and a run do not have in common.
func (b block) differs(p played) string {
	if b.show < 1 || b.show > len(p.shown) {
		return fmt.Sprintf("there is no terminal %d", b.show)
	}
	text, status := p.shown[b.show-1], p.status[b.show-1]
	if status != b.exit {
		return fmt.Sprintf("exit status %d:\n%s", status, text)
	}
	if d := b.misnumbered(text); d != "" {
		return d
	}
	shown, run := b.transcript(b.plain()), b.transcript(text)
	if b.lanes {
		run.end = ""
		return shown.difference(run)
	}
	if b.isPart() {
		return shown.notIn(run)
	}
	return shown.difference(run)
}

// renew plays the run until it has come out the same way twice, a few times more where that is quick, and writes what
// the terminals showed of the one in which least was passed unseen.
func (g *group) renew(t *testing.T) {
	t.Helper()
	var before []played
	var best *played
	why := ""
	begin := time.Now()
	for n := 1; n <= attempts && (best == nil || n <= 10 && time.Since(begin) < 4*slow); n++ {
		p := g.play(t, true)
		if !g.ended(p) {
			t.Logf("%s: exit status %v:\n%s", g.what, p.status, strings.Join(p.shown, "\n"))
			continue
		}
		if why := g.uncut(p); why != "" {
			t.Log(why)
			continue
		}
		for _, old := range before {
			if why = g.unlike(old, p); why == "" && (best == nil || p.unseen() < best.unseen()) {
				best = &p
			}
		}
		before = append(before, p)
	}
	if best == nil {
		t.Fatalf("%s: no two of %d runs were alike: %s", g.what, len(before), why)
	}
	for _, b := range g.blocks {
		body, err := b.cut(best.shown[b.show-1])
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		b.rewrite(t, body)
	}
}

// unseen is how often a run has to say that it did not see something.
func (p played) unseen() (n int) {
	for _, text := range p.shown {
		n += strings.Count(text, "unseen") + strings.Count(text, "first seen") - strings.Count(text, "first seen ESTABLISHED")
	}
	return n
}

// ended tells whether each terminal that is shown is there and ended as it should.
func (g *group) ended(p played) bool {
	for _, b := range g.blocks {
		if b.show < 1 || b.show > len(p.shown) || p.status[b.show-1] != b.exit {
			return false
		}
	}
	return true
}

// uncut says what a run does not have of what is to be shown of it.
func (g *group) uncut(p played) string {
	for _, b := range g.blocks {
		if _, err := b.cut(p.shown[b.show-1]); err != nil {
			return fmt.Sprintf("%s: %v", b, err)
		}
	}
	return ""
}

// unlike says in what two runs came out differently, in a terminal that is shown; "" if they are alike.
func (g *group) unlike(p, q played) string {
	for _, b := range g.blocks {
		b.body, _ = b.cut(p.shown[b.show-1])
		if d := b.differs(q); d != "" {
			return d
		}
	}
	return ""
}
