// Package torture makes the world fail under the two commands, one thing at a time, and judges what they make of it.
// `.ci/torture` runs it; docs/reliability.md has what came out.
package torture

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	kindsFlag   = flag.String("kinds", "", "which kinds to try, with commas between; none: nothing")
	shortFlag   = flag.Bool("bounded", false, "a part of each kind, for the gate")
	onlyFlag    = flag.String("only", "", "only trials whose name this regular expression fits")
	resultsFlag = flag.String("results", "", "write what came of each trial to this file (JSON Lines)")
	tableFlag   = flag.String("table", "", "write the table of docs/reliability.md to this file")
	forFlag     = flag.Duration("for", 0, "end after this time, with what was tried by then; 0: when all is tried")
	workersFlag = flag.Int("workers", runtime.NumCPU(), "so many trials at a time")
)

var bin string // where echod and echoc are

func TestMain(m *testing.M) {
	flag.Parse()
	if *kindsFlag == "" {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "socklife-torture-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Setenv("LC_ALL", "C.UTF-8")
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // under nohup, too, the commands do not begin with SIGHUP ignored
		build := exec.Command("go", "build", "-o", dir+"/", "socklife/cmd/echod", "socklife/cmd/echoc")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // what the dynamic linker does is nothing of ours
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		bin = dir
		return m.Run()
	}())
}

// trial is one thing that is made to fail in one run.
type trial struct {
	kind, target, what string
	run                func(*result)
}

func (t trial) name() string { return t.kind + " " + t.target + " " + t.what }

// result is what came of it.
type result struct {
	Kind    string   `json:"kind"`
	Target  string   `json:"target"`
	What    string   `json:"what"`
	Done    int      `json:"done"` // how often what was to be done was done: 0 means that the run had no occasion
	Status  int      `json:"status"`
	TookMS  int64    `json:"took_ms"`
	Said    string   `json:"said,omitempty"`
	Verdict string   `json:"verdict"`
	Why     []string `json:"why,omitempty"`

	more     time.Duration // how many times the deadlines are as long
	straces  bool          // what was wrong was strace's doing
	cutShort []string      // streams that ended well too early
}

// The verdicts. What comes first outweighs what comes later.
const (
	crash     = "crash"                // a panic, a fatal error, a signal that nobody sent
	hang      = "hang"                 // it had to be killed
	lying     = "false success"        // status 0, and something is missing; or what came is not what was sent
	leak      = "leak"                 // a process, a file, a socket, a trace instance is left
	mute      = "no clear line"        // the status is that of a failure, and there is not one line that names it
	wrong     = "wrong status"         // or one that means something else
	unmet     = "failed without cause" // it should have gone well, and did not
	runtimes  = "aborted by Go"        // Go's own runtime could not go on: not the program's to mend
	survived  = "went well"
	complains = "said so"
	idle      = "no occasion"
)

var verdicts = []string{crash, hang, lying, leak, mute, wrong, unmet, runtimes, survived, complains, idle}

var bad = verdicts[:7]

// worse keeps the weightier verdict.
func (r *result) worse(verdict, why string, args ...any) {
	if r.Verdict == "" || slices.Index(verdicts, verdict) < slices.Index(verdicts, r.Verdict) {
		r.Verdict = verdict
	}
	if why != "" {
		r.Why = append(r.Why, fmt.Sprintf(why, args...))
	}
}

// kind is a way to make things fail.
type kind struct {
	name, tries string  // what the table says of it
	share       float64 // of the time
	trials      func(t *testing.T) []trial
}

var kinds = []kind{
	{"inject", "a call fails with an errno of its manual page, at its 1st, 2nd or 5th time in a thread", 0.5, injections},
	{"delay", "a call takes 150 ms longer, before or after", 0.1, delays},
	{"short", "short reads and writes: peers with small buffers, and pieces of any size", 0.05, shortPieces},
	{"signal", "STOP and CONT, WINCH, URG, CHLD, again and again", 0.1, storms},
	{"kill", "SIGKILL at each event of each scenario; SIGINT, SIGTERM, SIGHUP at each tenth", 0.15, kills},
	{"output", "the output is closed, full, or read no further; the terminal is gone", 0.05, outputs},
	{"clock", "CLOCK_REALTIME goes back and forth by an hour", 0.05, clockSteps},
}

// TestTorture runs the trials, and fails if one of them did.
func TestTorture(t *testing.T) {
	if *kindsFlag == "" {
		t.Skip("-kinds says what to try: .ci/torture")
	}
	if err := loopback(); err != nil {
		t.Fatalf("lo: %v", err)
	}
	var results io.Writer = io.Discard
	if *resultsFlag != "" {
		f, err := os.Create(*resultsFlag)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		results = f
	}
	only := regexp.MustCompile(*onlyFlag)
	var all []*result
	there := map[string]int{}
	for _, k := range kinds {
		if !slices.Contains(strings.Split(*kindsFlag, ","), k.name) {
			continue
		}
		began := time.Now()
		list := slices.DeleteFunc(k.trials(t), func(tr trial) bool { return !only.MatchString(tr.name()) })
		// In an order that is the same each time, so that what there is time for is of everything.
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		end := began.Add(time.Duration(float64(*forFlag) * k.share))
		of := play(t, list, end, json.NewEncoder(results))
		fmt.Printf("%-8s %5d of %d trials in %v\n", k.name, len(of), len(list), time.Since(began).Round(time.Second))
		all, there[k.name] = append(all, of...), len(list)
	}
	if left := leftInstances(); len(left) > 0 {
		t.Errorf("trace instances are left: %q", left)
	}
	table := tableOf(all, there)
	fmt.Print(table)
	if *tableFlag != "" {
		if err := os.WriteFile(*tableFlag, []byte(table), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// play runs trials side by side, until the end if that comes first.
func play(t *testing.T, list []trial, end time.Time, to *json.Encoder) (all []*result) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan trial)
	for range *workersFlag {
		workers.Go(func() {
			for tr := range next {
				r := tried(tr)
				mu.Lock()
				all = append(all, r)
				to.Encode(r)
				if slices.Contains(bad, r.Verdict) {
					t.Errorf("%s: %s: status %d after %d ms: %s\n%s", tr.name(), r.Verdict, r.Status, r.TookMS, strings.Join(r.Why, "; "), r.Said)
				}
				mu.Unlock()
			}
		})
	}
	for _, tr := range list {
		if *forFlag > 0 && time.Now().After(end) {
			break
		}
		next <- tr
	}
	close(next)
	workers.Wait()
	return all
}

// tried runs a trial. One that took too long, or failed without a cause, has another try, with more time: what comes of
// a busy machine does not come twice.
func tried(tr trial) *result {
	for try := 1; ; try++ {
		r := &result{Kind: tr.kind, Target: tr.target, What: tr.what, more: 1}
		if try == 2 {
			r.more = moreTime
		}
		began := time.Now()
		tr.run(r)
		r.TookMS = time.Since(began).Milliseconds()
		if try == 2 || !slices.Contains([]string{unmet, hang}, r.Verdict) {
			return r
		}
	}
}

// tableOf is a row for each kind.
func tableOf(all []*result, there map[string]int) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| kind | tried, of | done | went well | said so | aborted by Go | crashes | hangs | false successes | leaks | no clear line | other |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, k := range kinds {
		n, done, by := 0, 0, map[string]int{}
		for _, r := range all {
			if r.Kind == k.name {
				n++
				by[r.Verdict]++
				if r.Done > 0 {
					done++
				}
			}
		}
		if n > 0 {
			fmt.Fprintf(&b, "| %s: %s | %d of %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", k.name, k.tries, n, there[k.name], done,
				by[survived], by[complains], by[runtimes], by[crash], by[hang], by[lying], by[leak], by[mute], by[wrong]+by[unmet])
		}
	}
	return b.String()
}

// some are all of a list; bounded, so many of it, evenly.
func some[T any](list []T, most int) (part []T) {
	if !*shortFlag || len(list) <= most {
		return list
	}
	for i := range most {
		part = append(part, list[i*len(list)/most])
	}
	return part
}

// leftInstances are trace instances of processes that have ended. Somebody else's may be among those that are there.
func leftInstances() (left []string) {
	exec.Command(filepath.Join(bin, "echoc"), "-q", "--trace", "handshake").Run() // sweeps, where it may
	found, _ := filepath.Glob("/sys/kernel/tracing/instances/socklife-*")
	for _, path := range found {
		var pid, n int
		fmt.Sscanf(filepath.Base(path), "socklife-%d-%d", &pid, &n)
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil && pid > 0 {
			left = append(left, path)
		}
	}
	return left
}
