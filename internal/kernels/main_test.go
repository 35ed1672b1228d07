// Package kernels, all of it tests' code, plays the catalogue on other kernels: Debian's for virtual machines, booted
// in QEMU without the processor's help, and says whether all is as docs/kernels.md has it.
//
//	.ci/kernels [--short] [--missing] [KERNEL...]
//	.ci/kernels --table
//
// A KERNEL is one of 5.10, 6.1, 6.12, newest, 6.1-arm64 and newest-arm64; without any, all of them, and on one of them
// what is missing in other places: modules, tracefs, capabilities, IPv6. --short plays two kernels, and each scenario
// in two forms of five. --missing plays only those other places. --table writes what the runs gave into
// docs/kernels.md: of every play the last one.
//
// Kernels are fetched from the mirror of Debian that this machine has its packages from (DEBIAN_MIRROR=URL names
// another), with lists of their own, checked against Debian's keyring, and kept in
// ${XDG_CACHE_HOME:-~/.cache}/socklife-kernels. The guest's first process is this test binary: guest_test.go. What it
// plays: plan_test.go. The page: page_test.go.
//
// It is a test binary, as internal/compare is: .ci/kernels runs it with KERNELS_REPO set to the folder of the sources.
//
// Exit status: 0 all as docs/kernels.md says; 1 something differs from it, or a guest hung; 2 usage, or no kernel or
// QEMU could be had.
package kernels

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
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
	options = flag.NewFlagSet("kernels", flag.ExitOnError)
	short   = options.Bool("short", false, "play two kernels, each scenario in two forms")
	missing = options.Bool("missing", false, "play the places where something is missing, and no whole kernel")
	table   = options.Bool("table", false, "write what the runs gave into docs/kernels.md")
	verbose = options.Bool("v", false, "tell of every play")
	atOnce  = options.Int("j", 2, "so many `guests` at once; each keeps one processor busy")
	only    = options.String("only", "", "play what this `regexp` fits alone, of lines as: close --wire as root")
)

// repo is the environment variable with the folder of the sources.
const repo = "KERNELS_REPO"

func TestMain(m *testing.M) {
	switch {
	case os.Getpid() == 1:
		guest()
	case len(os.Args) > 2 && os.Args[1] == insideArg:
		asInAContainer(os.Args[2:])
	case len(os.Args) > 2 && os.Args[1] == loopbackArg:
		withLoopback(os.Args[2:])
	case os.Getenv(repo) == "":
		os.Exit(m.Run())
	}
	options.Usage = func() {
		fmt.Fprintln(options.Output(), "kernels [flags] [KERNEL...]   (of "+strings.Join(names(kernels), " ")+"; without, all)")
		options.PrintDefaults()
	}
	options.Parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	status, err := run(ctx, options.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		status = 2
	}
	if ctx.Err() != nil {
		status = 130
	}
	os.Exit(status)
}

func names(list []Kernel) (names []string) {
	for _, k := range list {
		names = append(names, k.Name)
	}
	return names
}

// A Run is what came of a kernel, or of the places where something is missing: it is kept in the cache, for --table.
type Run struct {
	Kernel  Kernel
	Release string // uname -r and -m
	When    string // the day
	Steps   []Step
	Answers []Answer
}

// places is the name of the run that has the places where something is missing; they are tried on one kernel.
const places, placesOn = "missing", "6.1"

func run(ctx context.Context, args []string) (int, error) {
	if err := os.Chdir(os.Getenv(repo)); err != nil {
		return 0, err
	}
	home, err := os.UserCacheDir()
	if err != nil {
		return 0, err
	}
	cache := filepath.Join(home, "socklife-kernels")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return 0, err
	}
	if *table {
		return 0, writePage(cache)
	}
	chosen, err := choose(args)
	if err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp("", "socklife-kernels-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	from, err := mirror()
	if err != nil {
		return 0, err
	}
	p := &player{cache: cache, tmp: tmp, mirror: from, built: map[string]archive{}}
	host := exec.Command("go", "build", "-o", filepath.Join(tmp, "echoc"), "./cmd/echoc")
	if out, err := host.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	if p.all, p.wireOnly, err = catalogue(filepath.Join(tmp, "echoc")); err != nil {
		return 0, err
	}
	if p.only, err = regexp.Compile(*only); err != nil {
		return 0, fmt.Errorf("--only %s: %w", *only, err)
	}
	page, err := readPage()
	if err != nil {
		return 0, err
	}
	var jobs []job
	if !*missing {
		for _, k := range chosen {
			jobs = append(jobs, job{k, k.Name})
		}
	}
	if *missing || len(args) == 0 && !*short {
		jobs = append(jobs, job{byName(placesOn), places})
	}
	differs, err := p.playAll(ctx, jobs, page)
	if err != nil {
		return 0, err
	}
	if differs > 0 {
		fmt.Printf("%d differ from %s\n", differs, pageFile)
		return 1, nil
	}
	fmt.Println("all as", pageFile, "says")
	return 0, nil
}

func byName(name string) Kernel {
	return kernels[slices.IndexFunc(kernels, func(k Kernel) bool { return k.Name == name })]
}

func choose(args []string) (list []Kernel, err error) {
	for _, name := range args {
		if !slices.Contains(names(kernels), name) {
			return nil, fmt.Errorf("there is no kernel %q: want some of %s", name, strings.Join(names(kernels), " "))
		}
		list = append(list, byName(name))
	}
	for _, k := range kernels {
		if len(args) == 0 && (k.Short || !*short) {
			list = append(list, k)
		}
	}
	return list, nil
}

// job is a run to be played, and what it is called.
type job struct {
	kernel Kernel
	name   string
}

// playAll plays some at once, and tells how often it was not as the page says.
func (p *player) playAll(ctx context.Context, jobs []job, page grid) (differs int, err error) {
	var playing sync.WaitGroup
	var mu sync.Mutex
	turn := make(chan struct{}, *atOnce)
	for _, j := range jobs {
		turn <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		playing.Go(func() {
			defer func() { <-turn }()
			r, failed := p.play(ctx, j.kernel, j.name)
			mu.Lock()
			defer mu.Unlock()
			if err = errors.Join(err, failed); failed == nil {
				differs += p.judge(page, j.name, r)
			}
		})
	}
	playing.Wait()
	return differs, err
}

// player has what all kernels are played with.
type player struct {
	cache, tmp, mirror string
	all                []string
	wireOnly           map[string]bool
	only               *regexp.Regexp

	preparing sync.Mutex         // one at a time: both cores are busy with it
	built     map[string]archive // by architecture
}

// guestFiles are what a kernel is booted with, and what its modules are called.
func (p *player) guestFiles(k Kernel) (vmlinuz string, a archive, modules map[string][]string, err error) {
	p.preparing.Lock()
	defer p.preparing.Unlock()
	if _, err := exec.LookPath(machines[k.Arch].qemu); err != nil {
		return "", nil, nil, fmt.Errorf("%w: install Debian's qemu-system-x86 and qemu-system-arm", err)
	}
	dir, err := fetch(p.cache, k, p.mirror)
	if err != nil {
		return "", nil, nil, fmt.Errorf("Debian's kernel %s cannot be had: %w", k.Name, err)
	}
	if vmlinuz, err = image(dir); err != nil {
		return "", nil, nil, err
	}
	if p.built[k.Arch] == nil {
		if p.built[k.Arch], err = build(k.Arch, p.tmp); err != nil {
			return "", nil, nil, err
		}
	}
	a = maps.Clone(p.built[k.Arch])
	modules, err = a.addModules(dir)
	return vmlinuz, a, modules, err
}

// play boots a kernel, once or, with what is missing, twice, and keeps what came of it.
func (p *player) play(ctx context.Context, k Kernel, name string) (*Run, error) {
	vmlinuz, a, modules, err := p.guestFiles(k)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	r := &Run{Kernel: k, When: began.UTC().Format(time.DateOnly)}
	more, boots := "", [][]Step{wholePlan(p.all, p.wireOnly, modules, *short)}
	if name == places {
		boots = [][]Step{missingPlan(p.all, p.wireOnly, modules), withoutIPv6Plan(p.all, p.wireOnly, modules)}
	}
	for i, steps := range boots {
		if i > 0 {
			more = ipv6Missing
		}
		steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Row != "" && !p.only.MatchString(s.String()) })
		left, err := p.boot(ctx, r, name, vmlinuz, a, more, steps)
		if err != nil && ctx.Err() == nil && r.Release != "" { // a guest of QEMU's that stood still or panicked
			fmt.Printf("%s: %v\n%[1]s: what is left is played in a guest of its own\n", name, err)
			_, err = p.boot(ctx, r, name, vmlinuz, a, more, left)
		}
		if err != nil {
			fmt.Printf("%s: %v\n", name, err)
			r.Steps, r.Answers = append(r.Steps, Step{Row: guestRow}), append(r.Answers, Answer{Status: -1, Says: []string{err.Error()}})
		}
	}
	fmt.Printf("%s: %s, %d plays in %v\n", name, r.Release, len(r.Steps), time.Since(began).Round(time.Second))
	if r.Release == "" {
		return r, nil // it did not boot
	}
	return r, r.keep(filepath.Join(p.cache, name+".json"))
}

// boot plays steps in one guest, notes what came of them, and returns those that it did not come to.
func (p *player) boot(ctx context.Context, r *Run, name, vmlinuz string, a archive, more string, steps []Step) (left []Step, err error) {
	initrd := filepath.Join(p.tmp, "initrd-"+name)
	if err := pack(initrd, a, steps); err != nil {
		return steps, err
	}
	done := 0
	release, err := boot(ctx, r.Kernel, vmlinuz, initrd, more, steps, func(s Step, a Answer) {
		done++
		r.Steps, r.Answers = append(r.Steps, s), append(r.Answers, a)
		if *verbose {
			fmt.Printf("%s: %s: %d, %.1f s\n", name, s, a.Status, float64(a.MS)/1000)
		}
	})
	r.Release = cmp.Or(release, r.Release)
	for i, s := range steps {
		if i >= done || s.Row == "" { // what prepares a guest is needed again
			left = append(left, s)
		}
	}
	return left, err
}

// keep puts a run into the cache, over what is there of the same plays on the same kernel.
func (r *Run) keep(file string) error {
	all := *r
	var before Run
	if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &before) == nil && before.Release == r.Release {
		all.Steps, all.Answers = before.Steps, before.Answers
	} else {
		all.Steps, all.Answers = nil, nil
	}
	for i, s := range r.Steps {
		same := func(o Step) bool { return o.Row == s.Row && o.Form == s.Form && o.Where == s.Where && o.User == s.User }
		at := slices.IndexFunc(all.Steps, same)
		switch {
		case s.Row == "" || s.Row == guestRow:
		case at < 0:
			all.Steps, all.Answers = append(all.Steps, s), append(all.Answers, r.Answers[i])
		default:
			all.Steps[at], all.Answers[at] = s, r.Answers[i]
		}
	}
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// guestRow stands for a guest that hung.
const guestRow = "the guest"

// thisHost is a line about the machine that the guests run on.
func thisHost() string {
	version, _, _ := strings.Cut(output("qemu-system-x86_64", "--version"), "(")
	return fmt.Sprintf("%d CPUs, Linux %s, %s", runtime.NumCPU(), strings.Fields(release())[0], strings.TrimSpace(version))
}

func output(name string, args ...string) string {
	out, _ := exec.Command(name, args...).Output()
	return string(out)
}

// judge prints where a run is not as the page says, and returns in how many places.
func (p *player) judge(page grid, name string, r *Run) (differs int) {
	for i, s := range r.Steps {
		a := r.Answers[i]
		want := page.want(name, s)
		if a.Again {
			fmt.Printf("%s: %s: failed once, and held when it was played again: %s\n", name, s, strings.Join(a.Says, "; "))
		}
		if a.Status == want {
			continue
		}
		differs++
		fmt.Printf("%s: %s: status %d, %s says %d, after %.1f s\n", name, s, a.Status, pageFile, want, float64(a.MS)/1000)
		for _, line := range a.Says {
			fmt.Println("    " + line)
		}
	}
	return differs
}
