package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

var witnesses atomic.Int64

// witness is another trace instance, set up and read with the shell's tools: an independent observer.
type witness struct {
	t   testing.TB
	dir string
}

func newWitness(t testing.TB, port uint16) witness {
	t.Helper()
	root := tracefs(t)
	at, err := root.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	// The descriptor's path leads a tool to a mount that stands at no path.
	dir := fmt.Sprintf("/proc/%d/fd/%d/instances/witness-%[1]d-%[3]d", os.Getpid(), at.Fd(), witnesses.Add(1))
	w := witness{t, dir}
	w.sh("mkdir %s", dir)
	t.Cleanup(func() {
		w.sh("rmdir %s", dir)
		at.Close()
		root.Close()
	})
	w.sh("cd %s && echo mono > trace_clock && echo 4096 > buffer_size_kb && cd events/sock/inet_sock_set_state && "+
		"echo 'sport == %d || dport == %[2]d' > filter && echo 1 > enable", dir, port)
	return w
}

func (w witness) sh(format string, args ...any) string {
	w.t.Helper()
	script := fmt.Sprintf(format, args...)
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v: %s", script, err, out)
	}
	return string(out)
}

var traceLine = regexp.MustCompile(`inet_sock_set_state: .* sport=(\d+) dport=(\d+) .* oldstate=(\w+) newstate=(\w+)`)

// saw is what the observer has, by the ports of the connection, in order.
func (w witness) saw() map[string][]string {
	w.t.Helper()
	text := w.sh("cat %s/trace", w.dir)
	seen := map[string][]string{}
	for line := range strings.Lines(text) {
		m := traceLine.FindStringSubmatch(line)
		if m == nil && !strings.HasPrefix(line, "#") || strings.Contains(line, "LOST") {
			w.t.Errorf("the observer cannot read %q", line)
		}
		if m != nil && m[3] != m[4] {
			note(seen, m[1], m[2], m[3], m[4])
		}
	}
	return seen
}

// note puts a transition where it can be compared: by its ports, or, while they are not both known, by the one that is.
func note(seen map[string][]string, local, remote, from, to string) {
	if from == "TCP_LISTEN" && to == "TCP_SYN_RECV" {
		remote = "0"
	}
	ports := local + " " + remote
	seen[ports] = append(seen[ports], from+" "+to)
}

// saw is the same of our events.
func saw(events []Event) map[string][]string {
	seen := map[string][]string{}
	for _, e := range events {
		note(seen, fmt.Sprint(e.Local.Port()), fmt.Sprint(e.Remote.Port()), e.From.Kernel(), e.To.Kernel())
	}
	return seen
}

// The listener's port is shared by sockets whose order among each other an observer need not see the same way.
func compare(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for ports, w := range want {
		g := got[ports]
		if strings.HasPrefix(ports, "0 ") || strings.HasSuffix(ports, " 0") {
			slices.Sort(g)
			slices.Sort(w)
		}
		if !slices.Equal(g, w) {
			t.Errorf("ports %s: got %q, the observer has %q", ports, g, w)
		}
	}
	for ports, g := range got {
		if want[ports] == nil {
			t.Errorf("ports %s: got %q, the observer has nothing", ports, g)
		}
	}
}

// Many quick connections at once: none of their transitions is missing, none is out of order, and an independent
// observer has the same. With a Run that reads along, and with one reading at the end.
func TestManyQuickConnections(t *testing.T) {
	for _, streaming := range []bool{true, false} {
		t.Run(fmt.Sprint("streaming ", streaming), func(t *testing.T) {
			t.Parallel()
			l := bound(t, loopback4)
			tr := open(t, l.local().Port())
			w := newWitness(t, l.local().Port())
			const connections = 400
			// A process that is being started holds our sockets too, until its exec: they may be closed later than
			// close(2).
			enough := func(e []Event) bool { return len(e) >= 2+10*connections }
			var events []Event
			if streaming {
				r := run(t, tr)
				quickConnections(t, l, 4, connections/4)
				for !enough(events) {
					events = append(events, r.next(t))
				}
				r.cancel()
				events = append(events, r.rest(t)...)
			} else {
				quickConnections(t, l, 4, connections/4)
				events = drainUntil(t, tr, enough)
			}
			w.sh("echo 0 > %s/tracing_on", w.dir)
			checkQuick(t, events, connections)
			compare(t, saw(events), w.saw())
		})
	}
}

// quickConnections makes so many from each of several goroutines. The client closes first.
func quickConnections(t *testing.T, l sock, dialers, each int) {
	t.Helper()
	l.listen(dialers * each)
	to := l.local()
	var all sync.WaitGroup
	for range dialers {
		all.Go(func() {
			for range each {
				if err := openAndClose(to); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range dialers * each {
		a := l.accept()
		a.end()
		a.close()
	}
	all.Wait()
	l.close()
}

func openAndClose(to netip.AddrPort) error {
	c, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		return err
	}
	return errors.Join(c.Connect(to), c.Close())
}

func checkQuick(t *testing.T, events []Event, connections int) {
	t.Helper()
	checkEnds(t, events)
	count := map[string]int{}
	for _, chain := range lives(events) {
		count[chain]++
	}
	for chain, n := range map[string]int{listening + leftClosed: 1, active + closes: connections, passive + isClosed: connections} {
		if count[chain] != n {
			t.Errorf("%d lives %q, want %d", count[chain], chain, n)
		}
		delete(count, chain)
	}
	for chain, n := range count {
		t.Errorf("%d lives %q", n, chain)
	}
	if !slices.IsSortedFunc(events, func(a, b Event) int { return a.Time.Compare(b.Time) }) {
		t.Error("they are not in the order of time")
	}
}

// Two traces have nothing to do with each other.
func TestTracesDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	var traces []*Trace
	var listeners []sock
	for range 2 {
		l := bound(t, loopback4)
		listeners = append(listeners, l)
		traces = append(traces, open(t, l.local().Port()))
	}
	for _, l := range listeners {
		l.listen(1)
		c, a := pair(t, l)
		c.close()
		a.end()
		a.close()
	}
	for i, tr := range traces {
		events := drainUntil(t, tr, func(e []Event) bool {
			return sameLives(e, []string{listening, active + closes, passive + isClosed})
		})
		for _, e := range events {
			if p := listeners[i].local().Port(); e.Local.Port() != p && e.Remote.Port() != p {
				t.Errorf("%v is not of port %d", e, p)
			}
		}
	}
}

// topLevel is what somebody else may have set at the top of tracefs.
func topLevel(t testing.TB, root *os.Root) (settings []string) {
	t.Helper()
	files := []string{"current_tracer", "tracing_on", "trace_clock", "buffer_size_kb", "set_event", "set_event_pid", "trace_options", "tracing_cpumask"}
	for _, f := range []string{"enable", "filter", "trigger"} {
		files = append(files, filepath.Join(transitions, f))
	}
	for _, f := range files {
		text, err := root.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		settings = append(settings, f+": "+string(text))
	}
	return settings
}

// A trace that somebody runs at the top level keeps its settings and its events. Not parallel: there is one top level.
func TestTheTopLevelIsNotDisturbed(t *testing.T) {
	root := tracefs(t)
	defer root.Close()
	l := bound(t, loopback4)
	port := l.local().Port()
	enabled, err := root.ReadFile("set_event")
	if err != nil {
		t.Fatal(err)
	}
	events, err := root.ReadFile("trace")
	if err != nil {
		t.Fatal(err)
	}
	empty := !regexp.MustCompile(`(?m)^[^#]`).Match(events)
	idle := empty && len(strings.TrimSpace(string(enabled))) == 0
	if idle { // else somebody's trace is there to be looked at, and to be left alone
		defer emptied(t, root)
		set := func(file, text string) {
			t.Helper()
			if err := root.WriteFile(transitions+"/"+file, []byte(text), 0); err != nil {
				t.Fatal(err)
			}
		}
		set("filter", fmt.Sprintf("sport == %d", port))
		defer set("filter", "0")
		set("enable", "1")
		defer set("enable", "0")
	}
	before := topLevel(t, root)
	tr := open(t, port)
	during := topLevel(t, root)
	l.listen(1)
	l.close()
	ours, err := drain(tr)
	if err != nil || !sameLives(ours, []string{listening + leftClosed}) {
		t.Errorf("%v, and\n%s", err, show(ours))
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	for i, now := range topLevel(t, root) {
		if before[i] != during[i] || before[i] != now {
			t.Errorf("it was %q, then %q, and is %q", before[i], during[i], now)
		}
	}
	if !idle {
		return
	}
	text, err := root.ReadFile("trace")
	if n := strings.Count(string(text), fmt.Sprintf("sport=%d ", port)); err != nil || n != 2 {
		t.Errorf("the other trace has %d of its 2 events, %v", n, err)
	}
}

// emptied empties the buffer of the top level.
func emptied(t testing.TB, root *os.Root) {
	t.Helper()
	if err := root.WriteFile("trace", nil, 0); err != nil { // it truncates
		t.Fatal(err)
	}
}
