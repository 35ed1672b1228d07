package compare

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A line is one thing that a run said, without what is different each time: ports, descriptors, times.
type line struct {
	lane    string // whose it is: "client", "wire", "client's states", …
	text    string
	ordered bool // its place among the lane's other ordered lines counts
	once    bool // said again it says no more
}

// A run is all that one run said.
type run []line

// failed tells whether something did not come, or a command did not end by itself. (2 and 3 are refusals, not
// failures.)
func (r run) failed() bool {
	for _, l := range r {
		if l.lane == "exit" && !strings.Contains(l.text, "exit status 0") && !strings.Contains(l.text, "exit status 2") && !strings.Contains(l.text, "exit status 3") {
			return true
		}
	}
	return false
}

// A difference is a line that only the one build has, or two lines whose order is not the same.
type difference struct {
	lane  string
	sign  byte // '-': only OLD has it; '+': only NEW; '~': elsewhere
	text  string
	where string
	place int
}

func (d difference) String() string { return fmt.Sprintf("%s: %c %s", d.lane, d.sign, d.text) }

// A key is a line of a run, be it with its numbers or without.
type key struct {
	lane, text string
	loose      bool
}

var words = regexp.MustCompile(`[A-Z_a-z][\w-]*|\d+\.\d+\.\d+\.\d+|\d[\d,]*(\.\d+)?([a-zµ]+\d*(\.\d+)?)*`)

var named = regexp.MustCompile(`^[sad]\d+$`) // the names that names.go gives to sockets

// loosen takes the numbers out of a line. FIN-WAIT-1, AF_INET6 and 127.0.0.1 are no numbers.
func loosen(text string) string {
	return words.ReplaceAllStringFunc(text, func(w string) string {
		if named.MatchString(w) {
			return w[:1] + "N"
		}
		if w[0] < '0' || w[0] > '9' || strings.Count(w, ".") == 3 {
			return w
		}
		return "N"
	})
}

// A tally is how often a line was in each run: least and most.
type tally struct{ least, most int }

func count(runs []run) map[key]tally {
	all := map[key]tally{}
	for i, r := range runs {
		here := map[key]int{}
		for _, l := range r {
			for _, k := range [2]key{{l.lane, l.text, false}, {l.lane, loosen(l.text), true}} {
				if here[k]++; l.once {
					here[k] = 1
				}
			}
		}
		for k, n := range here {
			t, known := all[k]
			if !known && i == 0 {
				t.least = n
			}
			all[k] = tally{min(t.least, n), max(t.most, n)}
		}
		for k, t := range all {
			if here[k] == 0 {
				all[k] = tally{0, t.most}
			}
		}
	}
	return all
}

// differ gives what is steady in each of the two, and not the same in both.
func differ(before, after []run) (found []difference) {
	was, is := count(before), count(after)
	report := func(sign byte, has []run, k key, n int) {
		d := difference{lane: k.lane, sign: sign, text: k.text}
		d.text, d.where, d.place = example(has[0], k)
		if n > 1 {
			d.text += fmt.Sprintf("   (%d times)", n)
		}
		found = append(found, d)
	}
	// First without the numbers; then with them, unless it has been said already that the line is another.
	said := map[key]bool{}
	for _, loose := range []bool{true, false} {
		for k := range union(was, is) {
			if k.loose != loose || !loose && said[key{k.lane, loosen(k.text), true}] {
				continue
			}
			if more := was[k].least - is[k].most; more > 0 {
				report('-', before, k, more)
				said[k] = true
			}
			if more := is[k].least - was[k].most; more > 0 {
				report('+', after, k, more)
				said[k] = true
			}
		}
	}
	found = append(found, moved(before, after, was, is)...)
	slices.SortFunc(found, func(a, b difference) int {
		return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(a.place, b.place), -cmp.Compare(a.sign, b.sign), cmp.Compare(a.text, b.text))
	})
	return found
}

func union(a, b map[key]tally) map[key]bool {
	all := map[key]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

// example finds the last such line of a run, and what stands before it in its lane.
func example(r run, k key) (text, where string, place int) {
	before := ""
	for i, l := range r {
		if l.lane != k.lane {
			continue
		}
		if l.text == k.text || k.loose && loosen(l.text) == k.text {
			text, where, place = l.text, "", i
			if l.ordered && before != "" {
				where = "after " + before
			}
		}
		if l.ordered {
			before = l.text
		}
	}
	return text, where, place
}

// An nth is a line of a lane: the n-th that has this text.
type nth struct {
	text string
	n    int
}

// moved gives the lines that are in each run of both, and stand elsewhere: as few as explain each pair that has
// changed its order.
func moved(before, after []run, was, is map[key]tally) (found []difference) {
	lanes := map[string]bool{}
	for _, l := range before[0] {
		lanes[l.lane] = l.ordered || lanes[l.lane]
	}
	for lane, ordered := range lanes {
		if !ordered {
			continue
		}
		steady := func(text string) bool {
			k := key{lane, text, false}
			return was[k].least == was[k].most && was[k] == is[k]
		}
		then, now := places(before, lane, steady), places(after, lane, steady)
		crossed := map[nth]map[nth]bool{}
		cross := func(a, b nth) {
			if crossed[a] == nil {
				crossed[a] = map[nth]bool{}
			}
			crossed[a][b] = true
		}
		for a := range then[0] {
			for b := range then[0] {
				if always(then, a, b) && always(now, b, a) {
					cross(a, b)
					cross(b, a)
				}
			}
		}
		for {
			var worst nth
			for a := range crossed {
				if c := cmp.Compare(len(crossed[a]), len(crossed[worst])); c > 0 || c == 0 && then[0][a] < then[0][worst] {
					worst = a
				}
			}
			if len(crossed[worst]) == 0 {
				break
			}
			found = append(found, tellMoved(lane, worst, crossed[worst], then[0], now[0]))
			for b := range crossed[worst] {
				delete(crossed[b], worst)
			}
			delete(crossed, worst)
		}
	}
	return found
}

func tellMoved(lane string, a nth, others map[nth]bool, then, now map[nth]int) difference {
	all := make([]nth, 0, len(others))
	for b := range others {
		all = append(all, b)
	}
	// The farthest that it has passed.
	slices.SortFunc(all, func(x, y nth) int { return cmp.Compare(then[x], then[y]) })
	d := difference{lane: lane, sign: '~', text: a.text, place: then[a]}
	if b := all[0]; then[b] < then[a] {
		d.where = "was after, and is before: " + b.text
	} else {
		d.where = "was before, and is after: " + all[len(all)-1].text
	}
	return d
}

// places tells, for each run, where each of the steady ordered lines of a lane stands.
func places(runs []run, lane string, steady func(string) bool) []map[nth]int {
	var all []map[nth]int
	for _, r := range runs {
		here, seen := map[nth]int{}, map[string]int{}
		for i, l := range r {
			if l.lane == lane && l.ordered && steady(l.text) {
				here[nth{l.text, seen[l.text]}] = i
				seen[l.text]++
			}
		}
		all = append(all, here)
	}
	return all
}

func always(runs []map[nth]int, a, b nth) bool {
	for _, r := range runs {
		if r[a] >= r[b] {
			return false
		}
	}
	return true
}

// varies lists the lines that are in some runs only, for -v.
func varies(before, after []run) (all []string) {
	was, is := count(before), count(after)
	for k := range union(was, is) {
		if !k.loose && (was[k].least != was[k].most || is[k].least != is[k].most) {
			all = append(all, fmt.Sprintf("%s: %s   (%d..%d times in OLD, %d..%d in NEW)", k.lane, k.text, was[k].least, was[k].most, is[k].least, is[k].most))
		}
	}
	slices.Sort(all)
	return all
}
