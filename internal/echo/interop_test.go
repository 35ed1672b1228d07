package echo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// interopSize is there and back. The data is the same in every test, and only read.
const interopSize = 100 << 20

var interopData = sync.OnceValue(func() []byte { return randomBytes(2, interopSize) })

// matcher is an output that must be the wanted bytes.
type matcher struct {
	want []byte
	at   int
}

func (m *matcher) Write(p []byte) (int, error) {
	if rest := m.want[m.at:]; len(p) > len(rest) || !bytes.Equal(p, rest[:len(p)]) {
		return 0, fmt.Errorf("different after byte %d", m.at)
	}
	m.at += len(p)
	return len(p), nil
}

func (m *matcher) check(t testing.TB) {
	t.Helper()
	if m.at != len(m.want) {
		t.Errorf("%d bytes of %d came back", m.at, len(m.want))
	}
}

// TestServerWithOtherClients: programs of other people send 100 MB, half-close, and get all of it back.
func TestServerWithOtherClients(t *testing.T) {
	if testing.Short() {
		t.Skip("100 MB each: run without -short")
	}
	for _, c := range []struct {
		program, from string
		args          func(host, port string) []string
	}{
		{"ncat", "ncat", func(host, port string) []string { return []string{host, port} }},
		{"socat", "socat", func(host, port string) []string { return []string{"-t", "60", "-", "TCP:" + host + ":" + port} }},
		{"nc", "netcat-openbsd", func(host, port string) []string { return []string{"-N", host, port} }},
	} {
		t.Run(c.program, func(t *testing.T) {
			path := needs(t, c.program, c.from)
			if c.program == "nc" && !isOpenBSD(path) {
				t.Skip("this nc has no -N to half-close: install netcat-openbsd")
			}
			s := serve(t, Config{})
			out := &matcher{want: interopData()}
			cmd := exec.Command(path, c.args(s.Addr().Addr().String(), strconv.Itoa(int(s.Addr().Port())))...)
			cmd.Stdin, cmd.Stdout = bytes.NewReader(out.want), out
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err != nil {
				t.Errorf("%v: %v\n%s", cmd, err, &stderr)
			}
			out.check(t)
			if n := s.finish(t); n.Finished != 1 || n.BytesIn != interopSize || n.BytesOut != interopSize {
				t.Errorf("%+v", n)
			}
		})
	}
}

func isOpenBSD(nc string) bool {
	help, _ := exec.Command(nc, "-h").CombinedOutput() // some exit with 1 after it
	return strings.Contains(string(help), "OpenBSD")
}

// lockstep is an input and an output: it gives out what is to be sent only so far ahead of what has come back, and ends
// when all has.
type lockstep struct {
	ahead int

	mu   sync.Mutex
	back sync.Cond
	out  matcher
	sent int
}

func newLockstep(data []byte, ahead int) *lockstep {
	l := &lockstep{ahead: ahead, out: matcher{want: data}}
	l.back.L = &l.mu
	return l
}

func (l *lockstep) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := 0
	for {
		if l.out.at == len(l.out.want) {
			return 0, io.EOF
		}
		if limit = min(l.out.at+l.ahead, len(l.out.want)); limit > l.sent {
			break
		}
		l.back.Wait()
	}
	n := copy(p, l.out.want[l.sent:limit])
	l.sent += n
	return n, nil
}

func (l *lockstep) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.back.Broadcast()
	return l.out.Write(p)
}

// TestClientWithOtherServers: the same the other way round.
func TestClientWithOtherServers(t *testing.T) {
	if testing.Short() {
		t.Skip("100 MB each: run without -short")
	}
	t.Run("socat", func(t *testing.T) {
		addr := freePort(t)
		args := []string{"-t", "60", fmt.Sprintf("TCP-LISTEN:%d,bind=%v", addr.Port(), addr.Addr()), "EXEC:/bin/cat"}
		out := &matcher{want: interopData()}
		clientOf(t, "socat", args, addr, bytes.NewReader(out.want), out)
		out.check(t)
	})
	t.Run("ncat", func(t *testing.T) {
		addr := freePort(t)
		args := []string{"-l", addr.Addr().String(), strconv.Itoa(int(addr.Port())), "--exec", "/bin/cat"}
		// Ncat 7.93 cannot do more. It copies both ways in one loop that blocks: ncat waits for cat to read, and cat
		// for ncat, when more than two pipes full are under way. And when the client half-closes it closes, and drops
		// what cat has not said yet.
		both := newLockstep(interopData(), 32<<10)
		clientOf(t, "ncat", args, addr, both, both)
		both.out.check(t)
	})
}

// clientOf starts a server that takes one connection, and sends interopSize bytes there and back.
func clientOf(t *testing.T, program string, args []string, addr netip.AddrPort, in io.Reader, out io.Writer) {
	t.Helper()
	cmd := exec.Command(needs(t, program, program), args...)
	var stderr syncBuffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var n ClientReport
	var err error
	wait(t, program+" listens", func() bool {
		n, err = runClient(t, t.Context(), ClientConfig{Addrs: []netip.AddrPort{addr}, In: in, Out: out})
		return !errors.Is(err, unix.ECONNREFUSED)
	})
	if err != nil || n.Sent != interopSize || n.Received != interopSize {
		t.Errorf("%+v, %v\n%s", n, err, stderr.String())
	}
}

// freePort is one that was free a moment ago, for programs that cannot say which one the kernel gave them.
func freePort(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
