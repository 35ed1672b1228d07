package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"socklife/internal/board"
	"socklife/internal/cli"
	"socklife/internal/observe"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/internal/view"
	"socklife/internal/watchlog"
	"socklife/tcpinfo"
)

// watchFlags are those of echoc watch alone.
type watchFlags struct {
	pid    []int
	state  []string
	netns  string
	once   bool
	length time.Duration
	every  time.Duration
}

func (w *watchFlags) addTo(fs *pflag.FlagSet) {
	fs.IntSliceVar(&w.pid, "pid", nil, "the sockets of the process `PID`: as the target pid:PID")
	fs.StringSliceVar(&w.state, "state", nil, "only sockets in this `STATE`, as close-wait; several with commas")
	fs.StringVar(&w.netns, "netns", "", "in another network namespace, `NETNS`: of a process, by its PID, or a name that ip netns has (root)")
	fs.BoolVar(&w.once, "once", false, "print the table of now and end: status 1 if something is stuck")
	fs.DurationVar(&w.length, "for", 0, "end after this `DURATION`: status 1 if something is stuck then")
	fs.DurationVar(&w.every, "every", time.Second, "look once in this `DURATION`")
}

// watchTakes are all flags that mean something to echoc watch.
var watchTakes = []string{"pid", "state", "netns", "once", "for", "every", "json", "quiet", "color", "trace", "capture", "absolute-seq", "record", "html", "overwrite"}

// config reads the flags and the targets.
func (w *watchFlags) config(ctx context.Context, f *cli.Flags, words []string) (cfg survey.Config, err error) {
	f.Set.Visit(func(fl *pflag.Flag) {
		if err == nil && !slices.Contains(watchTakes, fl.Name) {
			err = cli.Usagef("--%s: not with watch (see --help)", fl.Name)
		}
	})
	switch {
	case err != nil:
		return cfg, err
	case w.once && w.length > 0:
		return cfg, cli.Usagef("--once is one look, --for many: want one of them")
	case w.once && (f.Trace || f.Wire.Capture):
		return cfg, cli.Usagef("--trace and --capture are about what happens between two looks, and --once is one: want --for 10s in its place")
	case w.every < minEvery:
		return cfg, cli.Usagef("--every %v: want %v or more", w.every, minEvery)
	case f.Set.Changed("netns") && w.netns == "":
		return cfg, cli.Usagef("--netns '': want a PID or a name")
	}
	for _, name := range w.state {
		state, err := tcpinfo.ParseState(name)
		if err != nil {
			return cfg, cli.Usagef("--state %s: want a state, as close-wait or time-wait", name)
		}
		cfg.States |= tcpinfo.MaskOf(state)
	}
	if len(words) == 0 {
		return cfg, cli.Usagef("watch what? echoc watch :8080, or ADDR:PORT, pid:N, all")
	}
	for _, word := range words {
		t, err := target(ctx, f, word, w.netns != "")
		if err != nil {
			return cfg, err
		}
		cfg.Targets = append(cfg.Targets, t)
	}
	cfg.Root = os.Geteuid() == 0
	return cfg, nil
}

const minEvery = 10 * time.Millisecond

// target reads all, pid:N, :PORT or ADDR:PORT.
func target(ctx context.Context, f *cli.Flags, word string, elsewhere bool) (t survey.Target, err error) {
	if word == "all" {
		return t, nil
	}
	if number, is := strings.CutPrefix(word, "pid:"); is {
		pid, err := strconv.Atoi(number)
		if err != nil || pid <= 0 {
			return t, cli.Usagef("%s: want pid:N, the number of a process", word)
		}
		return survey.Target{PID: pid, Began: owner.Began(pid)}, livesHere(pid, elsewhere)
	}
	if !strings.Contains(word, ":") {
		return t, cli.Usagef("%s: want :PORT, ADDR:PORT, pid:N or all", word)
	}
	addr, err := f.Address(ctx, word)
	switch {
	case err != nil:
		return t, err
	case addr.Port() == 0:
		return t, cli.Usagef("%s: no socket has port 0", word)
	case strings.HasPrefix(word, ":"):
		return survey.Target{Addr: netip.AddrPortFrom(netip.Addr{}, addr.Port())}, nil
	}
	return survey.Target{Addr: addr}, nil
}

// livesHere refuses a process that does not exist, whose descriptors this user may not see, or whose sockets are in
// another network namespace than those that will be looked at.
func livesHere(pid int, elsewhere bool) error {
	if !exists(pid) {
		return cli.Usagef("pid:%d: there is no such process", pid)
	}
	if _, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err != nil {
		return unsupported.New(fmt.Sprintf("pid:%d: this user may not see which sockets that process has", pid), "be root, or its user; of one that gave privileges up, root", err)
	}
	own, err := os.Readlink("/proc/self/ns/net")
	its, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err == nil && err2 == nil && own != its && !elsewhere {
		return cli.Usagef("pid:%d, %s, is in another network namespace: add --netns %[1]d", pid, owner.Process(pid))
	}
	return nil
}

// enter has this thread, and what it asks, in another network namespace; the caller has locked it.
func enter(netns string) error {
	path := "/run/netns/" + netns
	if pid, err := strconv.Atoi(netns); err == nil {
		path = fmt.Sprintf("/proc/%d/ns/net", pid)
	} else if strings.Contains(netns, "/") {
		return cli.Usagef("--netns %s: want a PID, or a name as ip netns has it", netns)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT) && !hidden(netns):
		return cli.Usagef("--netns %s: there is no %s", netns, path)
	case err != nil:
		return needsRoot(netns, err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return needsRoot(netns, err)
	}
	return nil
}

// hidden tells a process that does not exist from one that /proc does not show to this user (hidepid): whether there is
// one, kill(2) says, and for nothing else.
func hidden(netns string) bool {
	pid, err := strconv.Atoi(netns)
	return err == nil && pid > 0 && exists(pid)
}

func exists(pid int) bool { return pid > 0 && pid <= math.MaxInt32 && unix.Kill(pid, 0) != unix.ESRCH }

func needsRoot(netns string, err error) error {
	return unsupported.New(fmt.Sprintf("--netns %s needs root", netns),
		fmt.Sprintf("CAP_SYS_ADMIN, and CAP_SYS_PTRACE for that of another user's process (%v)", err), err)
}

// limits are those of the network namespace that this thread is in.
func limits() (l survey.Limits) {
	numbers := func(name string) (n []int) {
		text, _ := os.ReadFile("/proc/sys/net/ipv4/" + name)
		for _, word := range strings.Fields(string(text)) {
			x, _ := strconv.Atoi(word)
			n = append(n, x)
		}
		return n
	}
	if r := numbers("ip_local_port_range"); len(r) == 2 {
		l.Ports = r[1] - r[0] + 1
	}
	if b := numbers("tcp_max_tw_buckets"); len(b) == 1 {
		l.TimeWaits = b[0]
	}
	if r, stamps := numbers("tcp_tw_reuse"), numbers("tcp_timestamps"); len(r) == 1 && len(stamps) == 1 && stamps[0] != 0 {
		l.Reuse = r[0]
	}
	return l
}

// watch looks at anybody's sockets.
func watch(ctx context.Context, f *cli.Flags, w *watchFlags, words []string) error {
	for _, pid := range w.pid {
		words = append(words, fmt.Sprintf("pid:%d", pid))
	}
	cfg, err := w.config(ctx, f, words)
	if err != nil {
		return err
	}
	if w.netns != "" {
		runtime.LockOSThread() // to the end of the program: the thread is not to be another's
		if err := enter(w.netns); err != nil {
			return err
		}
	}
	for i, t := range cfg.Targets {
		cfg.Targets[i].Here = t.Addr.IsValid() && cli.OnThisHost(t.Addr.Addr())
	}
	diag, err := tcpinfo.Dial()
	if err != nil {
		return err
	}
	defer diag.Close()
	cfg.Limits = limits()
	title := "echoc watch " + strings.Join(words, " ")
	out, screen := watchOutput(f, title)
	if err := f.Keep(&out, view.Options{Title: title}, timeline.Host); err != nil {
		return out.Done(err)
	}
	if err := f.DrawWatch(&out, title, cli.Kernel()); err != nil {
		return out.Done(err)
	}
	s := survey.New(diag, cfg)
	host, err := between(f, out, s)
	if err != nil {
		return out.Done(err)
	}
	log := &watchlog.Writer{Log: out.Log, Shown: !f.JSON || f.Record != "" || f.HTML != ""}
	ended := eachTurn(ctx, w, func(last bool) error {
		if last {
			s.Whole()
		}
		look := out.Log.Source()
		t, err := s.Look()
		if err == nil {
			log.Turn(t)
		}
		look.Done()
		out.Flush()
		if err == nil && screen != nil {
			screen.draw(t)
		}
		return cmp.Or(err, out.View.Err())
	}, func(text string) error {
		out.Log.Add(timeline.Host, time.Time{}, &timeline.Note{Text: text})
		out.Flush()
		return out.View.Err()
	})
	every := w.every
	if w.once {
		every = 0
	}
	counts, err := host.Close()
	tally := timeline.Tally{LostTransitions: counts.LostTransitions, Unplaced: counts.Unplaced, LostSegments: counts.LostSegments}
	if f.Trace {
		tally.Transitions = &counts.Transitions
	}
	if f.Wire.Capture {
		tally.Segments = &counts.Segments
	}
	stuck := log.End(every, tally)
	ended = cmp.Or(ended, err)
	if ended == nil && stuck > 0 {
		ended = cli.Told{Err: errors.New("something is stuck")}
	}
	return out.Done(ended)
}

// between sees what happens between two looks, as far as that was asked for.
func between(f *cli.Flags, out cli.Output, s *survey.Survey) (*observe.Host, error) {
	if !f.Trace && !f.Wire.Capture {
		return nil, nil
	}
	lookups, err := tcpinfo.Dial()
	if err != nil {
		return nil, err
	}
	return observe.OpenHost(f.Observed(out, nil), s, s.Ports(), lookups)
}

// watchOutput is where the events of a watch go, and the screen that they are drawn on, if they are.
func watchOutput(f *cli.Flags, title string) (cli.Output, *watchScreen) {
	if f.JSON || f.Quiet {
		return f.Output(os.Stdout, view.Options{}), nil
	}
	if view.IsTerminal(os.Stdout) && os.Getenv("TERM") != "dumb" {
		v := newWatchScreen(watchOptions(f, title))
		return cli.Through(v), v
	}
	return cli.Through(watchlog.NewPrinter(os.Stdout, watchOptions(f, title))), nil
}

func watchOptions(f *cli.Flags, title string) board.Options {
	return board.Options{Options: view.For(os.Stdout, f.Color), Title: title}
}
