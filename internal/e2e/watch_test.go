package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/explain"
)

// own puts a test into a network namespace of its own, where nothing but what it starts is watched, or skips it.
func own(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs a network namespace of its own: run it as root")
	}
	beside(t)
}

// watchNow is what echoc watch --once tells of, its sockets by what is the matter with them, and its exit status.
func watchNow(t *testing.T, cmd *exec.Cmd) (status int, sockets []event, tally event) {
	t.Helper()
	status, out, errs := finish(t, cmd)
	if status > 1 {
		t.Fatalf("status %d: %s", status, errs)
	}
	all := narrated(t, out)
	if n := len(all); n == 0 || all[n-1].text("kind") != "tally" {
		t.Fatalf("the last line is no tally:\n%s", out)
	}
	return status, slices.DeleteFunc(all[:len(all)-1], func(e event) bool { return e.text("kind") != "socket" }), all[len(all)-1]
}

// finding is one of the sockets, in short: stuck not-closed CLOSE-WAIT.
func finding(e event) string {
	return fmt.Sprintf("%s %s %s", e.text("grade"), e.text("finding"), e.text("to"))
}

// Each thing that watch finds is provoked by a program that nobody here watches from inside, and is then as ss has it
// at the same moment: by root, and by a user who looks at own processes.
func TestWatchFinds(t *testing.T) {
	const (
		// 198.51.100.0/24 is on an interface that nobody reads.
		nowhere = "ip tuntap add d0 mode tun && ip addr add 198.51.100.2/24 dev d0 && ip link set d0 up"
		// What is not acknowledged is sent again after 20 s.
		patient = "ip route replace table local local 127.0.0.1 dev lo rto_min 20s"
	)
	found := map[string]bool{}
	for _, c := range []struct {
		scene, before string // what root does first
		status        int
		want          []string // what must be found, and who must act: PROGRAM is the scene's
	}{
		{"leak", "", 1, []string{"stuck not-closed CLOSE-WAIT: PROGRAM", "waiting orphaned FIN-WAIT-2: nobody: a timer ends it"}},
		{"unaccepted", "", 1, []string{"stuck not-accepted CLOSE-WAIT: PROGRAM", "stuck accept-queue-waits LISTEN: PROGRAM", "waiting orphaned FIN-WAIT-2: nobody: a timer ends it"}},
		{"full", "", 1, []string{"stuck accept-queue-full LISTEN: PROGRAM", "stuck not-accepted ESTABLISHED: PROGRAM", "stuck syn-unanswered SYN-SENT: PROGRAM"}},
		{"synqueue", "", 0, []string{"waiting handshake-unfinished SYN-RECEIVED: the network, or the peer", "healthy listening LISTEN: nobody"}},
		{"fastopen", "sysctl -qw net.ipv4.tcp_fastopen=519", 1, []string{"stuck not-accepted SYN-RECEIVED: PROGRAM", "stuck accept-queue-waits LISTEN: PROGRAM"}},
		{"deferred", "", 0, []string{"waiting handshake-unfinished SYN-RECEIVED: the peer", "healthy listening LISTEN: nobody"}},
		{"fulldeferred", "", 1, []string{"waiting handshake-unfinished SYN-RECEIVED: PROGRAM", "stuck accept-queue-full LISTEN: PROGRAM"}},
		{"connecting", nowhere, 0, []string{"waiting connecting SYN-SENT: nobody: the peer's kernel answers"}},
		{"silent", nowhere, 1, []string{"stuck syn-unanswered SYN-SENT: the network, or the peer"}},
		{"deaf", patient, 0, []string{"healthy in-flight ESTABLISHED: nobody: the peer's kernel answers", "healthy open ESTABLISHED: nobody"}},
		{"deaf", "", 1, []string{"stuck unacknowledged ESTABLISHED: the network, or the peer", "healthy open ESTABLISHED: nobody"}},
		{"unread", "", 1, []string{"stuck not-read ESTABLISHED: PROGRAM", "stuck peer-window-full ESTABLISHED: PROGRAM"}},
		{"unprobed", "", 1, []string{"stuck not-read ESTABLISHED: PROGRAM", "stuck peer-window-full ESTABLISHED: the network, or the peer"}},
		{"halfclosed", "", 1, []string{"stuck not-closed CLOSE-WAIT: PROGRAM", "waiting peer-not-closed FIN-WAIT-2: PROGRAM"}},
		{"sending", "", 0, []string{"healthy half-closed CLOSE-WAIT: nobody", "healthy peer-not-closed FIN-WAIT-2: nobody"}},
		{"lostfin", patient, 0, []string{"waiting fin-in-flight FIN-WAIT-1: nobody: the peer's kernel answers"}},
		{"lostfin", "", 1, []string{"stuck fin-unacknowledged FIN-WAIT-1: the network, or the peer"}},
		{"closing", "", 1, []string{"stuck fin-unacknowledged CLOSING: the network, or the peer", "stuck fin-unacknowledged FIN-WAIT-1: the network, or the peer"}},
		{"lastack", "", 1, []string{"stuck fin-unacknowledged LAST-ACK: the network, or the peer", "healthy closed-first TIME-WAIT: nobody: a timer ends it"}},
		{"finbehind", "", 1, []string{"stuck fin-behind-data FIN-WAIT-1: PROGRAM", "stuck not-read ESTABLISHED: PROGRAM"}},
		{"keepalive", "", 1, []string{"stuck keepalive-unanswered ESTABLISHED: the network, or the peer"}},
		{"timewait", "", 0, []string{"healthy closed-first TIME-WAIT: nobody: a timer ends it", "healthy listening LISTEN: nobody"}},
		{"timewaits", "sysctl -qw net.ipv4.ip_local_port_range='40000 40015' net.ipv4.tcp_tw_reuse=0", 1, []string{"stuck ports-used-up TIME-WAIT: the application here that connects"}},
		{"timewaits", "sysctl -qw net.ipv4.ip_local_port_range='40000 40015' net.ipv4.tcp_tw_reuse=2", 0, []string{"waiting ports-used-up TIME-WAIT: nobody, unless connect() fails"}},
		{"timewaits", "sysctl -qw net.ipv4.tcp_max_tw_buckets=10", 0, []string{"waiting buckets-used-up TIME-WAIT: nobody"}},
		{"idle", "", 0, []string{"healthy open ESTABLISHED: nobody", "healthy listening LISTEN: nobody"}},
		{"bound", "", 0, []string{"healthy bound CLOSED: nobody"}},
	} {
		for _, w := range c.want {
			found[strings.Fields(w)[1]] = true
		}
		for _, user := range []string{"root", "nobody"} {
			as := func(t *testing.T, cmd *exec.Cmd) {
				if user != "root" {
					asNobody(t, cmd)
				}
			}
			t.Run(c.scene+" by "+user, func(t *testing.T) {
				own(t)
				if out, err := exec.Command("sh", "-c", c.before).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v: %s", c.before, err, out)
				}
				s := startScene(t, nil, c.scene, user)
				program, target := fmt.Sprintf("python3 (pid %d)", s.pid), "all"
				if user != "root" && s.port != "0" {
					target = ":" + s.port // what the kernel then sends is enough
				}
				var out string
				t.Cleanup(func() {
					if t.Failed() {
						t.Log(out)
					}
				})
				eventually(t, "what is found", func() bool {
					before := ssOf(t, as)
					cmd := command(t, "echoc", "watch", "--once", "--json", target)
					as(t, cmd)
					status, sockets, tally := watchNow(t, cmd)
					after := ssOf(t, as)
					found, unlike := map[string]bool{}, []string(nil)
					out = fmt.Sprintf("status %d %v", status, tally)
					for _, e := range sockets {
						what := finding(e) + ": " + strings.ReplaceAll(e.text("who"), program, "PROGRAM")
						found[what] = true
						out += fmt.Sprintf("\n%s: %s; %s", what, e.text("says"), e.text("detail"))
						if why := unlikeSS(e, before, after); why != "" {
							unlike = append(unlike, why)
						}
					}
					out += "\n" + strings.Join(unlike, "\n")
					return status == c.status && len(unlike) == 0 && len(sockets) == int(tally.number("sockets")) &&
						!slices.ContainsFunc(c.want, func(w string) bool { return !found[w] })
				})
			})
		}
	}
	for _, f := range explain.Findings() {
		if !found[f.Name] {
			t.Errorf("%s is provoked by no scene", f.Name)
		}
	}
}

// What nobody here wrote, stopped: a web server does not accept, and a reader does not read. The others are well.
func TestWatchOfStoppedPrograms(t *testing.T) {
	own(t)
	web := exec.Command(python(t), "-u", "-m", "http.server", "--bind", "127.0.0.1", "0")
	said := spawn(t, web) // Serving HTTP on 127.0.0.1 port 34567 (http://127.0.0.1:34567/) ...
	port := regexp.MustCompile(`port (\d+)`).FindStringSubmatch(said)
	if port == nil {
		t.Fatal(said)
	}
	client := func() { program(t, "socat", "-u", "PIPE", "TCP:127.0.0.1:"+port[1]) }
	client()
	both := func(sockets []event, what string) (n int) {
		for _, e := range sockets {
			if finding(e) == what {
				n++
			}
		}
		return n
	}
	look := func() (int, []event) {
		status, sockets, _ := watchNow(t, command(t, "echoc", "watch", "--once", "--json", ":"+port[1]))
		return status, sockets
	}
	eventually(t, "both ends open", func() bool {
		status, sockets := look()
		return status == 0 && both(sockets, "healthy open ESTABLISHED") == 2 && both(sockets, "healthy listening LISTEN") == 1
	})
	if err := web.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	client()
	client()
	name := fmt.Sprintf("python3 (pid %d)", web.Process.Pid)
	eventually(t, "two that nobody accepts", func() bool {
		status, sockets := look()
		for _, e := range sockets {
			if e.text("grade") == "stuck" && e.text("who") != name {
				t.Fatalf("%v must act", e)
			}
		}
		return status == 1 && both(sockets, "stuck not-accepted ESTABLISHED") == 2 && both(sockets, "stuck accept-queue-waits LISTEN") == 1
	})
	if err := web.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all well again", func() bool {
		status, sockets := look()
		return status == 0 && both(sockets, "healthy open ESTABLISHED") == 6
	})
}

// program starts one that is installed, until the test is over.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Skipf("needs %s: install it", name)
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// An ordinary user sees own processes, and of others whose they are; root sees all.
func TestWatchAsAnOrdinaryUser(t *testing.T) {
	own(t)
	theirs := startScene(t, nil, "leak")
	mine := startScene(t, func(cmd *exec.Cmd) { asNobody(t, cmd) }, "leak")
	says := func(s scene, as func(*testing.T, *exec.Cmd)) (text string) {
		cmd := command(t, "echoc", "watch", "--once", "--json", "--state", "CLOSE_WAIT", ":"+s.port)
		as(t, cmd)
		_, sockets, _ := watchNow(t, cmd)
		for _, e := range sockets {
			text += e.text("says") + "\n"
		}
		return text
	}
	cmd := command(t, "echoc", "watch", "--once", fmt.Sprintf("pid:%d", theirs.pid))
	asNobody(t, cmd)
	if status, _, errs := finish(t, cmd); status != 3 || !strings.Contains(errs, "this user may not see") {
		t.Errorf("status %d, %q", status, errs)
	}
	root := func(*testing.T, *exec.Cmd) {}
	for _, c := range []struct {
		who  string
		s    scene
		as   func(*testing.T, *exec.Cmd)
		want string
	}{
		{"root of root's", theirs, root, fmt.Sprintf("python3 (pid %d, fd ", theirs.pid)},
		{"root of another's", mine, root, fmt.Sprintf("python3 (pid %d, fd ", mine.pid)},
		{"a user of the own", mine, asNobody, fmt.Sprintf("python3 (pid %d, fd ", mine.pid)},
		{"a user of root's", theirs, asNobody, "a process of user 0 (root sees which) has the peer's FIN"},
	} {
		if text := says(c.s, c.as); !strings.HasPrefix(text, c.want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %q, want %q…", c.who, text, c.want)
		}
	}
}

// Targets and states choose; several add up.
func TestWatchTargets(t *testing.T) {
	own(t)
	a, b := startScene(t, nil, "leak"), startScene(t, nil, "idle")
	for _, c := range []struct {
		args string
		want int
	}{
		{"all", 6}, {":" + a.port, 3}, {"127.0.0.1:" + a.port, 3}, {"127.0.0.2:" + a.port, 0}, {":" + a.port + " :" + b.port, 6},
		{fmt.Sprintf("pid:%d", a.pid), 2}, // its orphan was closed before anybody looked
		{fmt.Sprintf("pid:%d", b.pid), 3}, {fmt.Sprintf("--pid %d", b.pid), 3}, {"--state listen all", 2}, {"--state close-wait,fin-wait-2 all", 2},
		{":1", 0},
	} {
		_, sockets, _ := watchNow(t, command(t, "echoc", append([]string{"watch", "--once", "--json"}, strings.Fields(c.args)...)...))
		if len(sockets) != c.want {
			t.Errorf("watch %s: %d sockets, want %d: %v", c.args, len(sockets), c.want, sockets)
		}
	}
	for args, says := range map[string]string{
		"": "watch what?", "close": "want :PORT", "pid:x": "want pid:N", "pid:4194305": "no such process", ":0": "no socket has port 0", ":http:": "want HOST:PORT",
		"--state fish all": "--state fish", "--once --for 1s all": "want one of them", "--every 1ms all": "--every 1ms", "--once --trace all": "--once is one", "--once --capture all": "--once is one", "--absolute-seq all": "it goes with", "--svg x all": "--svg: not with watch", "--pcap x --capture all": "--pcap: not with watch",
		"--hold 1s all": "--hold: not with watch", "--linger 0 all": "--linger: not with watch", "--netns nosuchname all": "there is no /run/netns/nosuchname",
	} {
		status, _, errs := run(t, "echoc", append([]string{"watch"}, strings.Fields(args)...)...)
		if status != 2 || !strings.Contains(errs, says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("watch %s: status %d, %q, want %q", args, status, errs, says)
		}
	}
	if status, _, errs := run(t, "echoc", "--once", "half-close"); status != 2 || !strings.Contains(errs, "--once is not for anything but echoc watch") {
		t.Errorf("--once half-close: status %d, %q", status, errs)
	}
}

// The sockets of another network namespace, by a process in it and by its name.
func TestWatchInAnotherNamespace(t *testing.T) {
	own(t)
	name := fmt.Sprintf("watch-%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("ip netns: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	if out, err := exec.Command("ip", "-n", name, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := startScene(t, func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"ip", "netns", "exec", name}, cmd.Args...)
		cmd.Path, _ = exec.LookPath("ip")
	}, "leak")
	pid := strconv.Itoa(s.pid)
	for _, args := range [][]string{{"--netns", name, "all"}, {"--netns", pid, "all"}, {"--netns", pid, ":" + s.port}} {
		if _, sockets, _ := watchNow(t, command(t, "echoc", append([]string{"watch", "--once", "--json"}, args...)...)); len(sockets) != 3 {
			t.Errorf("%v: %v", args, sockets)
		}
	}
	if _, sockets, _ := watchNow(t, command(t, "echoc", "watch", "--once", "--json", "all")); len(sockets) != 0 {
		t.Errorf("here: %v", sockets)
	}
	if status, _, errs := run(t, "echoc", "watch", "--once", "pid:"+pid); status != 2 || !strings.Contains(errs, "add --netns "+pid) {
		t.Errorf("status %d, %q", status, errs)
	}
	cmd := command(t, "echoc", "watch", "--once", "--netns", pid, "all")
	asNobody(t, cmd)
	if status, _, errs := finish(t, cmd); status != 3 || !strings.Contains(errs, "--netns "+pid+" needs root") {
		t.Errorf("as an ordinary user: status %d, %q", status, errs)
	}
}

// A connection that comes, and is closed, while somebody watches: each change in its turn, by the same number, and
// since when is exact. Ctrl-C ends it with a summary.
func TestWatchGoesOn(t *testing.T) {
	own(t)
	s := startScene(t, nil, "idle")
	cmd := command(t, "echoc", "watch", "--every", "50ms", "--json", ":"+s.port)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(out)
	next := func(what string, fits func(event) bool) event {
		t.Helper()
		for {
			e := event{}
			if err := d.Decode(&e); err != nil {
				t.Fatalf("%s did not come: %v", what, err)
			}
			if fits(e) {
				return e
			}
		}
	}
	next("the listener", func(e event) bool { return e.text("what") == "there" && e.text("to") == "LISTEN" })
	c := program(t, "socat", "-u", "PIPE", "TCP:127.0.0.1:"+s.port) // which the program never accepts
	came := next("the client", func(e event) bool {
		return e.text("what") != "there" && e.text("to") == "ESTABLISHED" && e.text("remote") == "127.0.0.1:"+s.port // perhaps after SYN-SENT
	})
	c.Process.Kill()
	left := next("its end", func(e event) bool {
		return e["socket"] == came["socket"] && e.text("what") == "changed" && e.text("to") != "ESTABLISHED"
	})
	if to := left.text("to"); left.text("from") != "ESTABLISHED" || to != "FIN-WAIT-2" && to != "FIN-WAIT-1" || left["exact"] != true || left.number("for_ms") > 100 {
		t.Errorf("%v", left)
	}
	stuck := next("the server's", func(e event) bool {
		return e.text("finding") == "not-accepted" && e.text("grade") == "stuck" && e.text("to") == "CLOSE-WAIT"
	})
	if stuck["exact"] != true || stuck.number("unaccepted_ms") < 1000 || stuck.text("other_state") != "FIN-WAIT-2" {
		t.Errorf("%v", stuck)
	}
	cmd.Process.Signal(unix.SIGINT)
	tally := next("the tally", func(e event) bool { return e.text("kind") == "tally" })
	if tally.number("came") < 2 || tally.number("stuck") < 2 {
		t.Errorf("%v", tally)
	}
	if status := statusOf(t, cmd.Wait()); status != 130 {
		t.Errorf("status %d", status)
	}
}

// Thousands of sockets are one screen, which stands still; --for ends it.
func TestWatchManyOnOneScreen(t *testing.T) {
	own(t)
	pairs := 2500 // four sockets each
	if testing.Short() {
		pairs = 500
	}
	s := startScene(t, nil, "many", strconv.Itoa(pairs))
	term := inTerminal(t, 80, "echoc", "watch", "--for", "3s", "--color=never", ":"+s.port)
	if err := unix.IoctlSetWinsize(int(term.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	if status := term.end(); status != 1 {
		t.Errorf("status %d", status)
	}
	// Each is written over the one before: what is cleared from the top of a screen some terminals keep, above it.
	frames := regexp.MustCompile(`\x1b\[\d+A\r`).Split(term.shown(), -1)
	last := frames[len(frames)-1]
	if strings.HasPrefix(last, "\x1b[J") {
		t.Error("the screen is cleared before it is drawn anew")
	}
	last = strings.NewReplacer("\x1b[K", "", "\x1b[J", "").Replace(last)
	table, summary, ok := strings.Cut(last, "\r\n\r\n")
	// A look at so many may take long on a busy machine, and the last one begins when the time is over.
	if len(frames) < 2 || !ok || strings.Count(table, "\n") > 23 || !regexp.MustCompile(`watched for \d+ s`).MatchString(summary) {
		t.Fatalf("%d frames; the last:\n%s", len(frames), last)
	}
	for _, want := range []string{fmt.Sprintf("%d × CLOSE-WAIT ↔ FIN-WAIT-2 at 127.0.0.1:%s", pairs, s.port), fmt.Sprintf("python3 (pid %d) has the peer's FIN and has not called close()", s.pid),
		fmt.Sprintf("%d × ESTABLISHED ↔ ESTABLISHED", pairs), "LISTEN"} {
		if !strings.Contains(strings.Join(strings.Fields(table), " "), want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	begin := time.Now()
	status, out, errs := run(t, "echoc", "watch", "--once", ":"+s.port)
	if status != 1 || strings.Count(out, "\n") > 24 {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
	t.Logf("%d sockets: one look took %v\n%s", 4*pairs+1, time.Since(begin), out)
}

// What is watched makes no call more for it, and nothing is sent.
func TestWatchTouchesNothing(t *testing.T) {
	own(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace: install it")
	}
	s := startScene(t, nil, "leak")
	log := t.TempDir() + "/strace"
	cmd := command(t, strace, "-f", "-qq", "-e", "signal=none", "-e", "trace=ptrace,kill,process_vm_readv,pidfd_open,pidfd_getfd,sendto,sendmsg,connect,bind", "-o", log,
		bin+"/echoc", "watch", "--once", "--json", fmt.Sprintf("pid:%d", s.pid))
	watchNow(t, cmd)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		harmless := strings.Contains(line, "AF_NETLINK") || strings.Contains(line, "nlmsg_type=SOCK_DIAG_BY_FAMILY") || strings.Contains(line, fmt.Sprintf("kill(%d, 0)", s.pid)) ||
			strings.Contains(line, "resumed>") // the call itself stands above
		if !harmless || strings.Contains(line, "DESTROY") {
			t.Errorf("%s", line)
		}
	}
}

// Servers from the distribution, stopped in the middle of their work: what their clients leave behind is theirs to
// close.
func TestWatchOfServersFromTheDistribution(t *testing.T) {
	dir := func(t *testing.T) string {
		d := t.TempDir()
		os.Chmod(d, 0o755)
		return d
	}
	for _, c := range []struct {
		name  string
		start func(t *testing.T, port string) *exec.Cmd
		asks  string // what a client says, so that it is served
	}{
		{"redis-server", func(t *testing.T, port string) *exec.Cmd {
			return program(t, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir(t))
		}, "PING\r\n"},
		{"nginx", func(t *testing.T, port string) *exec.Cmd {
			d := dir(t)
			conf := fmt.Sprintf("daemon off; master_process off; pid %s/pid; error_log %[1]s/error; events {} http { access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; "+
				"fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s; server { listen 127.0.0.1:%s; location / { return 200 ok; } } }", d, port)
			if err := os.WriteFile(d+"/conf", []byte(conf), 0o644); err != nil {
				t.Fatal(err)
			}
			return program(t, "nginx", "-c", d+"/conf", "-e", d+"/error")
		}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			own(t)
			const port = "7100" // of a namespace of its own
			server := c.start(t, port)
			count := func(what string) (n int) {
				_, sockets, _ := watchNow(t, command(t, "echoc", "watch", "--once", "--json", ":"+port))
				for _, e := range sockets {
					if finding(e) == what {
						n++
						if who := fmt.Sprintf("%s (pid %d)", c.name, server.Process.Pid); e.text("grade") == "stuck" && e.text("who") != who {
							t.Errorf("%s: %s must act, want %s", what, e.text("who"), who)
						}
					}
				}
				return n
			}
			eventually(t, "it listens", func() bool { return count("healthy listening LISTEN") == 1 })
			var conns []net.Conn
			for range 3 {
				conn, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := conn.Write([]byte(c.asks)); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 1000)); err != nil { // it was accepted, and answered
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			eventually(t, "all is well", func() bool { return count("healthy open ESTABLISHED") == 6 })
			if err := server.Process.Signal(unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			conns[0].Close()
			conns[1].Write([]byte(c.asks))
			eventually(t, "one is not closed, and one not read", func() bool {
				return count("stuck not-closed CLOSE-WAIT") == 1 && count("stuck not-read ESTABLISHED") == 1
			})
			if err := server.Process.Signal(unix.SIGCONT); err != nil {
				t.Fatal(err)
			}
			if _, err := conns[1].Read(make([]byte, 1000)); err != nil { // else it would be this test that does not read
				t.Fatal(err)
			}
			eventually(t, "all is well again", func() bool {
				return count("stuck not-closed CLOSE-WAIT")+count("stuck not-read ESTABLISHED") == 0 && count("healthy open ESTABLISHED") == 4
			})
		})
	}
}

// An age at the first look is no more than it can be: the last ACK that came is the FIN's, and not the handshake's.
func TestWatchClaimsNoAge(t *testing.T) {
	own(t)
	begin := time.Now()
	s := startScene(t, nil, "late")
	_, sockets, _ := watchNow(t, command(t, "echoc", "watch", "--once", "--json", "--state", "close-wait", ":"+s.port))
	most := time.Since(begin) - 3*time.Second
	if len(sockets) != 1 || sockets[0].number("for_ms") > float64(most.Milliseconds()) || sockets[0]["exact"] != nil {
		t.Errorf("%v, and it is no older than %v", sockets, most)
	}
}
