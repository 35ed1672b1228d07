// Package compare, all of it tests' code, plays every scenario of the catalogue with two builds of echod and echoc, and
// says where what they show is not the same.
//
//	.ci/compare [flags] OLD NEW [SCENARIO...]
//
// OLD and NEW are folders with echod and echoc in them, folders with this project's sources, or git revisions. A
// scenario is played embedded (echoc NAME), in two processes (echod NAME, echoc NAME ADDR), and on the wire (echoc
// --wire NAME) where --list marks it, each time in a network namespace of its own. With --strace it is played
// embedded and in two processes, and what is compared is what strace says of the lesson's TCP sockets.
//
// Runs of one and the same build differ: timers, states that were passed unseen, data read in pieces. So each build
// plays a scenario several times, in turn with the other, and only what is steady is compared: a line that is in all
// runs of the one build and in none of the other, or two lines that are always in this order in the one and always in
// the other order in the other. What is found so, and not expected, is played again, up to four times as often, and
// is a difference if it is still so. -v lists what varied.
//
// A run that failed says less than the others, so it is left out, if there are others; how many failed is told. It is
// a difference if a third of the one build's runs failed, and of the other's not half as many.
//
// What the lines are: events.go and strace.go; how they are compared: steady.go; how a scenario is played: play.go.
//
// It is a test binary, so that it is built, vetted and tested with everything else: .ci/compare runs it with
// COMPARE_REPO set to the folder of the sources; without, it runs its own tests.
//
// Exit status: 0 no difference; 1 differences, each printed; 2 usage, or something that could not be played at all.
package compare

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	options  = flag.NewFlagSet("compare", flag.ExitOnError)
	times    = options.Int("n", 3, "play each scenario so `often` with each build; four times as often where a difference is found")
	jobs     = options.Int("j", 2, "so `many` scenarios at once")
	strace   = options.Bool("strace", false, "compare the system calls on the lesson's sockets, and not the JSON")
	forms    = options.String("forms", "embedded,two,wire", "play these `forms`")
	expected = options.String("expected", "", "a `file` of wanted differences: lines of  REGEXP # reason, which are matched with the lines printed")
	verbose  = options.Bool("v", false, "also list what varied from run to run, and differences that are expected")
)

// repo is the environment variable with the folder of the sources.
const repo = "COMPARE_REPO"

func TestMain(m *testing.M) {
	if os.Getenv(repo) == "" {
		os.Exit(m.Run())
	}
	if len(os.Args) > 1 && os.Args[1] == insideArg {
		inside(os.Args[2:])
		return
	}
	options.Usage = func() {
		fmt.Fprintln(options.Output(), "compare [flags] OLD NEW [SCENARIO...]   (each a folder with echod and echoc, a folder with sources, or a git revision)")
		options.PrintDefaults()
	}
	options.Parse(os.Args[1:])
	if options.NArg() < 2 || *times < 1 || *jobs < 1 {
		options.Usage()
		os.Exit(2)
	}
	tmp, err := os.MkdirTemp("", "compare-")
	if err != nil {
		fail(err)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		os.RemoveAll(tmp)
		os.Exit(130)
	}()
	status, err := compare(tmp, options.Arg(0), options.Arg(1), options.Args()[2:])
	os.RemoveAll(tmp)
	if err != nil {
		fail(err)
	}
	os.Exit(status)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "compare:", err)
	os.Exit(2)
}

func compare(tmp, oldArg, newArg string, only []string) (int, error) {
	began := time.Now()
	wanted, err := readExpected(*expected)
	if err != nil {
		return 0, err
	}
	var builds [2]string
	var lists [2][]lesson
	for i, arg := range []string{oldArg, newArg} {
		if builds[i], err = build(arg, filepath.Join(tmp, fmt.Sprint("build", i))); err != nil {
			return 0, err
		}
		if lists[i], err = catalogue(builds[i]); err != nil {
			return 0, err
		}
	}
	todo, differences := plan(lists[0], lists[1], only)
	if len(todo) == 0 && len(only) > 0 {
		return 0, fmt.Errorf("no such scenario: %s", strings.Join(only, " "))
	}

	// The results are printed in the order of the catalogue, each as soon as all before it are there.
	results := make([]chan result, len(todo))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range *jobs {
		workers.Go(func() {
			for i := range next {
				results[i] <- playBoth(tmp, builds, todo[i], wanted)
			}
		})
	}
	go func() {
		for i := range todo {
			next <- i
		}
		close(next)
	}()

	unexpected, runs, failed := 0, 0, [2]int{}
	show := func(title string, found []difference) {
		lane := ""
		for _, d := range found {
			if w := wanted.match(title + " " + d.String()); w != nil {
				w.matched++
				if !*verbose {
					continue
				}
				d.text += "   (expected)"
			} else {
				unexpected++
			}
			if lane != d.lane {
				fmt.Printf("%s, %s:\n", title, d.lane)
				lane = d.lane
			}
			fmt.Printf("  %c %s\n", d.sign, d.text)
			if d.where != "" {
				fmt.Printf("      %s\n", d.where)
			}
		}
	}
	show("catalogue", differences)
	for i, job := range todo {
		r := <-results[i]
		if r.err != nil {
			return 0, fmt.Errorf("%s %s: %w", job.name, job.form, r.err)
		}
		runs += r.runs
		if r.failed != [2]int{} {
			fmt.Printf("%s %s: of %d runs each, %d of OLD failed, %d of NEW\n", job.name, job.form, r.runs/2, r.failed[0], r.failed[1])
			failed[0], failed[1] = failed[0]+r.failed[0], failed[1]+r.failed[1]
		}
		show(job.name+" "+job.form, r.found)
		if *verbose {
			for _, v := range r.varied {
				fmt.Printf("%s %s varies: %s\n", job.name, job.form, v)
			}
		}
	}
	workers.Wait()
	for _, w := range wanted {
		if w.matched == 0 {
			fmt.Printf("expected, and not seen: %s (%s)\n", w.pattern, w.reason)
		}
	}
	fmt.Printf("%d differences; %d scenarios and forms, %d runs (failed: %d of OLD, %d of NEW), %s\n", unexpected, len(todo), runs, failed[0], failed[1],
		time.Since(began).Round(time.Second))
	if unexpected > 0 {
		return 1, nil
	}
	return 0, nil
}

// A lesson is a row of echoc --list.
type lesson struct{ name, text string }

var listed = regexp.MustCompile(`(?m)^  (\S+) +(.*)$`)

func catalogue(dir string) ([]lesson, error) {
	out, err := exec.Command(filepath.Join(dir, "echoc"), "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s/echoc --list: %w", dir, err)
	}
	var all []lesson
	for _, m := range listed.FindAllStringSubmatch(string(out), -1) {
		all = append(all, lesson{m[1], m[2]})
	}
	return all, nil
}

// plan tells what to play: what both builds know. What only one knows, or describes in other words, is a difference
// at once.
func plan(before, after []lesson, only []string) (todo []job, found []difference) {
	asked := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	rows := func(lessons []lesson) (r run) {
		for _, l := range lessons {
			if asked(l.name) {
				r = append(r, line{lane: "--list", text: l.name + ": " + l.text, ordered: true})
			}
		}
		return r
	}
	found = differ([]run{rows(before)}, []run{rows(after)})
	known := map[string]string{}
	for _, l := range after {
		known[l.name] = l.text
	}
	for _, l := range before {
		text, both := known[l.name]
		if !both || !asked(l.name) {
			continue
		}
		for _, form := range strings.Split(*forms, ",") {
			onWire := strings.HasSuffix(l.text, "--wire)") && strings.HasSuffix(text, "--wire)")
			needsWire := strings.HasSuffix(l.text, "(--wire)")
			if form == "wire" && (!onWire || *strace) || needsWire && *strace {
				continue
			}
			todo = append(todo, job{l.name, form})
		}
	}
	return todo, found
}

// A result is what came of playing one scenario in one form with both builds.
type result struct {
	found  []difference
	varied []string
	runs   int
	failed [2]int // runs of each build in which something did not come, or that did not end by themselves
	err    error
}

func playBoth(tmp string, builds [2]string, j job, wanted wishes) (r result) {
	var runs [2][]run
	for {
		for range *times {
			for b, dir := range builds { // in turn, so that a busy machine is as busy for both
				played, err := play(tmp, dir, j)
				if err != nil {
					r.err = err
					return r
				}
				runs[b] = append(runs[b], played)
				if played.failed() {
					r.failed[b]++
				}
				r.runs++
			}
		}
		r.found = append(differ(whole(runs[0]), whole(runs[1])), fails(r.failed, len(runs[0]))...)
		doubtful := slices.ContainsFunc(r.found, func(d difference) bool {
			return wanted.match(j.name+" "+j.form+" "+d.String()) == nil
		})
		if !doubtful || len(runs[0]) >= 4*(*times) {
			r.varied = varies(whole(runs[0]), whole(runs[1]))
			return r
		}
	}
}

// whole gives the runs that did not fail, or all if each did.
func whole(runs []run) (good []run) {
	for _, r := range runs {
		if !r.failed() {
			good = append(good, r)
		}
	}
	if len(good) == 0 {
		return runs
	}
	return good
}

// fails is the difference that one build fails, and the other does not.
func fails(failed [2]int, runs int) (found []difference) {
	for b, sign := range []byte("-+") {
		if failed[b]*3 >= runs && failed[b] > 2*failed[1-b] {
			found = append(found, difference{lane: "failed", sign: sign, text: fmt.Sprintf("%d of %d runs", failed[b], runs)})
		}
	}
	return found
}
