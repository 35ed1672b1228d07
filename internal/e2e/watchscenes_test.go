package e2e

import (
	"bufio"
	"fmt"
	"os/exec"
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

def deafen(*sockets): # what arrives for them is dropped
    for s in sockets:
        code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
        s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ" if struct.calcsize("P") == 8 else "HxxI", 1, ctypes.addressof(code)))

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

def silent(): # 198.51.100.0/24 is on an interface that drops everything
    connect(False, "198.51.100.7", 443)

def deaf():
    c, s = pair()
    deafen(c, s)
    c.send(b"hello")

def unread():
    c, s = pair(rcvbuf=4096)
    fill(c)

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

def noports():
    l = listen(100)
    open("/proc/sys/net/ipv4/ip_local_port_range", "w").write("40000 40009")
    for _ in range(10):
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
func ssOf(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("ss", "-tanpieoOH").CombinedOutput()
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

// unlikeSS says in what a socket, as watch tells of it, is not as ss has it.
func unlikeSS(e event, ss map[string]string) string {
	remote := e.text("remote")
	if remote == "" {
		remote = "0.0.0.0:*"
	}
	line, there := ss[e.text("local")+" "+remote]
	if !there {
		return fmt.Sprintf("ss does not have %s %s", e.text("local"), remote)
	}
	w := strings.Fields(line)
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
