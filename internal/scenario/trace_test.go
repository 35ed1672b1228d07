package scenario

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// observer reads the tracepoint by itself, as text, through an instance of its own: it shares no code with the program.
type observer struct{ dir string }

func newObserver(t *testing.T, filter string) observer {
	t.Helper()
	root, err := tracefs()
	if err != nil {
		t.Skipf("the kernel's transitions cannot be observed here (mount tracefs: %v): run as root", err)
	}
	o := observer{fmt.Sprintf("/proc/self/fd/%d/instances/observer-%d-%d", root, os.Getpid(), time.Now().UnixNano())}
	if err := os.Mkdir(o.dir, 0o700); err != nil {
		unix.Close(root)
		t.Skip(err)
	}
	t.Cleanup(func() {
		o.write("events/sock/inet_sock_set_state/enable", "0")
		if err := errors.Join(os.Remove(o.dir), unix.Close(root)); err != nil {
			t.Error(err)
		}
	})
	err = errors.Join(o.write("events/sock/inet_sock_set_state/filter", filter), o.write("events/sock/inet_sock_set_state/enable", "1"))
	if err != nil {
		t.Skip(err)
	}
	return o
}

// tracefs is a mount of it that stands at no path: where it is mounted otherwise is nobody's business.
func tracefs() (fd int, err error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

func (o observer) write(name, text string) error {
	return os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0)
}

var transition = regexp.MustCompile(`protocol=IPPROTO_TCP sport=(\d+) dport=(\d+) .*oldstate=TCP_(\w+) newstate=TCP_(\w+)`)

// of counts the transitions of sockets both of whose ports are among these, as far as they had ports.
func (o observer) of(t *testing.T, ports map[string]bool) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, "trace"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for line := range strings.Lines(string(text)) {
		m := transition.FindStringSubmatch(line)
		if m == nil || !ports[m[1]] && m[1] != "0" || !ports[m[2]] && m[2] != "0" || m[1] == m[2] && m[1] == "0" {
			continue
		}
		from, err1 := tcpinfo.ParseState("TCP_" + m[3])
		to, err2 := tcpinfo.ParseState("TCP_" + m[4])
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v %v", line, err1, err2)
		}
		tally(count, from, to)
	}
	return count
}

// tally leaves out what the tracepoint calls CLOSED and sock_diag tells better: TIME-WAIT, and an orphan's FIN-WAIT-2.
func tally(count map[string]int, from, to tcpinfo.State) {
	if from == to {
		return // a call that set the state it was in
	}
	if to == tcpinfo.Closed && (from == tcpinfo.FinWait2 || from == tcpinfo.Closing) {
		return
	}
	count[from.String()+" to "+to.String()]++
}

func TestTheTraceMissesNothing(t *testing.T) {
	t.Parallel()
	for i, sc := range some() {
		t.Run(sc.Name, func(t *testing.T) {
			needsWire(t, sc)
			if !alone(t) {
				return
			}
			filter := ownPorts(t, i)
			ours, theirs := bothTraces(t, sc, filter)
			for again := 0; again < 5 && unfinished(ours, theirs); again++ {
				ours, theirs = bothTraces(t, sc, filter)
			}
			if !maps.Equal(ours, theirs) || len(ours) == 0 {
				t.Errorf("told:     %v\nobserved: %v", ours, theirs)
			}
		})
	}
}

// unfinished tells whether more was observed than told, and nothing told that was not observed. On a busy machine
// old-duplicate is over before the last segments of its connections are there, which it does not wait for; and what has
// the same ports in another namespace is observed too. That does not come five times in a row.
func unfinished(ours, theirs map[string]int) bool {
	for what, n := range ours {
		if n > theirs[what] {
			return false
		}
	}
	return !maps.Equal(ours, theirs)
}

// bothTraces are the transitions of a run that were told, and those that were observed.
func bothTraces(t *testing.T, sc *stage.Scenario, filter string) (ours, theirs map[string]int) {
	t.Helper()
	o := newObserver(t, filter)
	result, rec := play(t.Context(), sc, stage.Config{Trace: true})
	if !result.OK() {
		t.Fatalf("%v\n%s", result.Err, strings.Join(rec.failures(), "\n"))
	}
	ours, ports := map[string]int{}, map[string]bool{}
	for _, e := range rec.events {
		if s, ok := e.Body.(*timeline.State); ok {
			if port := s.Local.Port(); port != 0 { // not picked yet
				ports[strconv.Itoa(int(port))] = true
			}
			if s.Source == "tracepoint" {
				tally(ours, s.From, s.To)
			}
		}
	}
	return ours, o.of(t, ports)
}
