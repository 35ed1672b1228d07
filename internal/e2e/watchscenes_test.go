package e2e

import (
	"bufio"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A program of the test's own, that leaks, does not accept, or does not read, as the argument says. When the sockets
// are as they shall be it writes its listener's port, and then it waits until its standard input ends.
const sceneProgram = `
import ctypes, os, resource, socket, struct, sys, threading, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
keep, port = [], 0

def listen(backlog=8, rcvbuf=0, **options):
    global port
    l = socket.socket()
    if rcvbuf:
        l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    for name, value in options.items():
        l.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    l.bind(("127.0.0.1", 0))
    l.listen(backlog)
    port = l.getsockname()[1]
    keep.append(l)
    return l

def connect(block=True, to="127.0.0.1", at=0):
    c = socket.socket()
    keep.append(c)
    c.setblocking(block)
    try:
        c.connect((to, at or port))
    except BlockingIOError:
        pass
    return c

def pair(**options):
    l = listen(**options)
    c = connect()
    s, _ = l.accept()
    keep.append(s)
    return c, s

def fill(c):
    c.setblocking(False)
    try:
        while True:
            c.send(b"x" * 4096)
    except BlockingIOError:
        pass

def attach(s, *code): # a filter of SO_ATTACH_FILTER, which says how many bytes of a segment the socket takes
    b = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
    s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ" if struct.calcsize("P") == 8 else "HxxI", len(code), ctypes.addressof(b)))

def deafen(*sockets): # what arrives for them is dropped
    for s in sockets:
        attach(s, (6, 0, 0, 0))

def deafen_to_acks(s): # a segment of which byte 13, the flags, is ACK alone is dropped
    attach(s, (0x30, 0, 0, 13), (0x15, 0, 1, 0x10), (6, 0, 0, 0), (6, 0, 0, 0xffff))

def hear(s): # SO_DETACH_FILTER
    s.setsockopt(socket.SOL_SOCKET, 27, 0)

def leak():
    c, s = pair()
    c.close()

def late(): # long after the handshake
    c, s = pair()
    time.sleep(3)
    c.close()

def unaccepted():
    listen()
    c = connect()
    c.send(b"hello")
    c.close()

def full():
    listen(1)
    for _ in range(2):
        connect()
    connect(False)

def synqueue(): # the last ACK of the handshake does not come
    deafen_to_acks(listen())
    connect()

def fastopen(): # the same, but the SYN had data, so that accept() may have the connection already
    l = listen(TCP_FASTOPEN=8)
    deafen_to_acks(l)
    c = socket.socket()
    keep.append(c)
    c.sendto(b"hello", 0x20000000, ("127.0.0.1", port)) # MSG_FASTOPEN

def fulldeferred(): # the accept queue is full when its turn has come
    listen(2, TCP_DEFER_ACCEPT=1)
    connect()
    for _ in range(3):
        connect().send(b"hello")

def connecting(): # again and again: a SYN is sent again after a second
    def go():
        while True:
            c = connect(False, "198.51.100.7", 443)
            time.sleep(0.5)
            keep.remove(c)
            c.close()
    threading.Thread(target=go, daemon=True).start()

def silent(): # 198.51.100.0/24 is on an interface that nobody reads
    connect(False, "198.51.100.7", 443)

def deaf():
    c, s = pair()
    deafen(c, s)
    c.send(b"hello")

def unread():
    c, s = pair(rcvbuf=4096)
    fill(c)

def unprobed(): # and then, when all that fits is acknowledged, the peer is gone
    c, s = pair(rcvbuf=4096)
    fill(c)
    while struct.unpack_from("I", c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)[0]: # tcpi_unacked
        time.sleep(0.01)
    deafen(*keep)

def halfclosed():
    c, s = pair()
    c.shutdown(socket.SHUT_WR)

def sending(): # after the client's FIN the server goes on
    c, s = pair()
    c.shutdown(socket.SHUT_WR)
    def go(): 
        while True:
            s.send(b"x")
            c.recv(10)
            time.sleep(0.05)
    threading.Thread(target=go, daemon=True).start()

def lostfin():
    c, s = pair()
    deafen(c, s)
    c.close()

def lastack():
    c, s = pair()
    c.close()
    s.recv(1)
    deafen(s)
    s.close()

def closing(): # both FINs get lost; then one is heard when it comes again
    c, s = pair()
    deafen(c, s)
    c.shutdown(socket.SHUT_WR)
    s.shutdown(socket.SHUT_WR)
    hear(c)

def finbehind():
    c, s = pair(rcvbuf=4096)
    fill(c)
    c.close()

def keepalive():
    c, s = pair()
    deafen(c)
    for name, value in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 100)):
        s.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

def timewait():
    c, s = pair()
    c.close()
    s.recv(1)
    s.close()

def timewaits(): # fifteen of them
    l = listen(100)
    for _ in range(15):
        c = connect()
        s, _ = l.accept()
        c.close()
        s.recv(1)
        s.close()

def deferred():
    listen(TCP_DEFER_ACCEPT=60)
    connect()

def idle():
    pair()

def bound():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    keep.append(s)

def many():
    l = listen(128)
    for _ in range(int(sys.argv[2])):
        c = connect()
        s, _ = l.accept()
        keep.append(s)
        keep.remove(c)
        c.close()
        keep.append(connect())
        s, _ = l.accept()
        keep.append(s)

globals()[sys.argv[1]]()
if sys.argv[2:] == ["nobody"]: # a filter may be root's alone; who changes user is, for /proc, whose core dump is not to be read
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    ctypes.CDLL(None).prctl(4, 1) # PR_SET_DUMPABLE
print(port, flush=True)
sys.stdin.read()
`

// scene is that program, or another, as long as the test goes on.
type scene struct {
	pid  int
	port string
}

// python is a Python that one can start as it is.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("/usr/bin/python3")
	if err != nil {
		t.Skip("needs python3: install it")
	}
	return path
}

// startScene starts the program and waits until its sockets are as they shall be.
func startScene(t *testing.T, as func(*exec.Cmd), args ...string) scene {
	t.Helper()
	cmd := exec.Command(python(t), append([]string{"-c", sceneProgram}, args...)...)
	if as != nil {
		as(cmd)
	}
	line := spawn(t, cmd)
	return scene{cmd.Process.Pid, line}
}

// spawn starts a program that ends with its standard input, and returns the first line that it writes.
func spawn(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		first <- strings.TrimSpace(line)
	}()
	select {
	case line := <-first:
		if line == "" {
			cmd.Wait()
			t.Fatalf("%v wrote nothing: %s", cmd.Args[0], errs.String())
		}
		return line
	case <-time.After(patience):
		t.Fatalf("%v is not ready", cmd.Args[0])
	}
	return ""
}

// ssOf are the lines of ss, by what it is about: 127.0.0.1:80 127.0.0.1:4711.
func ssOf(t *testing.T, as func(*testing.T, *exec.Cmd)) map[string]string {
	t.Helper()
	cmd := exec.Command("ss", "-tanpieoOH")
	as(t, cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("needs ss (iproute2): %v", err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if w := strings.Fields(line); len(w) > 4 {
			list[w[3]+" "+w[4]] = strings.Join(w, " ") + " "
		}
	}
	return list
}

// unlikeSS says in what a socket, as watch tells of it, is neither as ss had it before nor as it had it after. What is
// only bound ss does not list.
func unlikeSS(e event, before, after map[string]string) string {
	if e.text("to") == "CLOSED" {
		return ""
	}
	remote := e.text("remote")
	if remote == "" {
		remote = "0.0.0.0:*"
	}
	b, a := before[e.text("local")+" "+remote], after[e.text("local")+" "+remote]
	if why := unlikeLine(e, b); why != "" && unlikeLine(e, a) != "" {
		return why
	}
	return unlikeTimer(e, b, a)
}

// unlikeLine compares with one line of ss.
func unlikeLine(e event, line string) string {
	w := strings.Fields(line)
	if len(w) == 0 {
		return fmt.Sprintf("ss does not have %s %s", e.text("local"), e.text("remote"))
	}
	state := map[string]string{"ESTABLISHED": "ESTAB", "SYN-RECEIVED": "SYN-RECV"}[e.text("to")]
	if state == "" {
		state = e.text("to")
	}
	recv, send := e["recv_q"], e["send_q"]
	if e.text("to") == "LISTEN" {
		recv, send = e["accept_queue"], e["accept_limit"]
	}
	if got := fmt.Sprintf("%s %.0f %.0f", state, recv, send); got != strings.Join(w[:3], " ") {
		return fmt.Sprintf("%s, and ss: %s", got, line)
	}
	if timer := e.text("timer"); timer == "" && strings.Contains(line, "timer:(") || timer != "" && !strings.Contains(line, "timer:("+timer+",") {
		return fmt.Sprintf("timer %q, and ss: %s", timer, line)
	}
	if n := e.number("retrans"); e.text("timer") != "" && !strings.Contains(line, fmt.Sprintf(",%.0f) ", n)) {
		return fmt.Sprintf("retrans %.0f, and ss: %s", n, line)
	}
	owners, _ := e["owners"].([]any)
	if len(owners) != strings.Count(line, "pid=") {
		return fmt.Sprintf("owners %v, and ss: %s", owners, line)
	}
	for _, o := range owners {
		h := o.(map[string]any)
		if who := fmt.Sprintf("(%q,pid=%.0f,fd=%.0f)", h["process"], h["pid"], h["fd"]); !strings.Contains(line, who) {
			return fmt.Sprintf("%s, and ss: %s", who, line)
		}
	}
	if inode := fmt.Sprintf("ino:%.0f ", e.number("inode")); e.number("inode") != 0 && !strings.Contains(line, inode) {
		return fmt.Sprintf("%s, and ss: %s", inode, line)
	}
	return ""
}

// unlikeTimer says whether a timer that ran on from the one ss to the other had another time left in between.
func unlikeTimer(e event, before, after string) string {
	b, bLeft := leftOfSS(before)
	a, aLeft := leftOfSS(after)
	if b == "" || b != a || bLeft < aLeft || b != fmt.Sprintf("%s %.0f", e.text("timer"), e.number("retrans")) {
		return "" // it was not the same one all the time
	}
	const rounded = time.Second // of what is 10 s or more ss cuts off all below a second
	if left := time.Duration(e.number("expires_ms")) * time.Millisecond; left > bLeft+rounded || left < aLeft-rounded/50 {
		return fmt.Sprintf("%v left, and ss: %s\n%s", left, before, after)
	}
	return ""
}

// leftOfSS reads a timer in a line of ss.
func leftOfSS(line string) (name string, left time.Duration) {
	m := regexp.MustCompile(`timer:\((\w+),([\w.]*),(\d+)\) `).FindStringSubmatch(line)
	if m == nil {
		return "", 0
	}
	text := strings.NewReplacer("min", "m", "sec", "s").Replace(m[2])
	if strings.Contains(text, ".") { // 1.234ms is 1 s and 234 ms
		text = strings.TrimSuffix(text, "ms") + "s"
	}
	left, err := time.ParseDuration(text)
	if err != nil {
		left = 0
	}
	return m[1] + " " + m[3], left
}
