package docs

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is a connection of the loopback interface, with its listener.
type pair struct{ listener, client, server int }

// sockets are those that are open.
type sockets struct {
	*testing.T
	open map[int]bool
}

func (t *sockets) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *sockets) socket() int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	t.must(err)
	t.open[fd] = true
	return fd
}

func (t *sockets) set(fd, level, option, value int) {
	t.Helper()
	t.must(unix.SetsockoptInt(fd, level, option, value))
}

func (t *sockets) close(fd int) {
	delete(t.open, fd)
	unix.Close(fd)
}

// listen listens, and connects so many clients; it returns the last of them. Small buffers are soon full.
func (t *sockets) listen(backlog, clients int, small bool) (p pair) {
	t.Helper()
	p = pair{listener: t.socket(), server: -1}
	if small {
		t.smallBuffers(p.listener)
	}
	t.must(unix.Bind(p.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	t.must(unix.Listen(p.listener, backlog))
	at, err := unix.Getsockname(p.listener)
	t.must(err)
	for range clients {
		p.client = t.socket()
		if small {
			t.smallBuffers(p.client)
		}
		if err := unix.Connect(p.client, at); err != nil && err != unix.EINPROGRESS {
			t.Fatal(err)
		}
	}
	return p
}

func (t *sockets) smallBuffers(fd int) {
	t.Helper()
	t.set(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	t.set(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 16384)
}

// connected is a connection that was accepted.
func (t *sockets) connected(small bool) pair {
	t.Helper()
	p := t.listen(8, 1, small)
	var err error
	p.server, _, err = unix.Accept4(p.listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	t.must(err)
	t.open[p.server] = true
	return p
}

// fill writes until there is no room.
func (t *sockets) fill(fd int) {
	t.Helper()
	for {
		if _, err := unix.Write(fd, make([]byte, 4096)); err == unix.EAGAIN {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// deafen drops what arrives for a socket.
func (t *sockets) deafen(fds ...int) {
	t.Helper()
	for _, fd := range fds {
		drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
		if err == unix.EPERM {
			t.Skip("this kernel refuses a socket filter to an ordinary user: run it as root")
		}
		t.must(err)
	}
}

// How each line of ss on the page comes about, by its number.
var howLinesOfSSCome = map[int]func(t *sockets){
	1: func(t *sockets) { t.listen(128, 0, false) },
	2: func(t *sockets) { t.listen(128, 3, false) },
	3: func(t *sockets) { t.listen(1, 2, false) },
	4: func(t *sockets) { t.listen(1, 3, false) },
	5: func(t *sockets) {
		p := t.listen(8, 0, false)
		t.set(p.listener, unix.SOL_TCP, unix.TCP_DEFER_ACCEPT, 10)
		at, err := unix.Getsockname(p.listener)
		t.must(err)
		unix.Connect(t.socket(), at)
	},
	6: func(t *sockets) { t.connected(false) },
	7: func(t *sockets) {
		t.set(t.connected(false).server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	},
	8: func(t *sockets) {
		p := t.connected(false)
		t.set(p.server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		unix.Write(p.client, make([]byte, 300))
	},
	9: func(t *sockets) { t.fill(t.connected(true).client) },
	10: func(t *sockets) {
		p := t.connected(false)
		t.deafen(p.client, p.server)
		unix.Write(p.client, make([]byte, 500))
	},
	11: func(t *sockets) { unix.Write(t.listen(8, 1, false).client, make([]byte, 5)) },
	12: func(t *sockets) { t.close(t.connected(false).client) },
	13: func(t *sockets) {
		p := t.connected(false)
		t.close(p.client)
		unix.Read(p.server, make([]byte, 1)) // the FIN is here: both ends are this host's
	},
	14: func(t *sockets) {
		p := t.connected(false)
		unix.Write(p.client, make([]byte, 100))
		t.close(p.client)
	},
	15: func(t *sockets) {
		p := t.listen(8, 1, false)
		unix.Write(p.client, make([]byte, 5))
		t.close(p.client)
	},
	16: func(t *sockets) {
		p := t.connected(true)
		unix.Shutdown(p.client, unix.SHUT_WR)
		t.fill(p.server)
	},
	17: func(t *sockets) {
		p := t.connected(false)
		t.deafen(p.client, p.server)
		t.close(p.client)
	},
	18: func(t *sockets) {
		p := t.connected(true)
		t.fill(p.client)
		t.close(p.client)
	},
	19: func(t *sockets) { unix.Shutdown(t.connected(false).client, unix.SHUT_WR) },
	20: func(t *sockets) { t.close(t.connected(false).client) },
	21: func(t *sockets) {
		p := t.connected(false)
		t.set(p.client, unix.SOL_TCP, unix.TCP_LINGER2, 120)
		t.close(p.client)
	},
	22: func(t *sockets) {
		p := t.connected(false)
		t.deafen(p.client, p.server)
		unix.Shutdown(p.client, unix.SHUT_WR)
		unix.Shutdown(p.server, unix.SHUT_WR)
		t.set(p.client, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) // the peer's FIN comes again
	},
	23: func(t *sockets) {
		p := t.connected(false)
		unix.Shutdown(p.client, unix.SHUT_WR)
		t.deafen(p.client)
		unix.Shutdown(p.server, unix.SHUT_WR)
	},
	24: func(t *sockets) {
		p := t.connected(true)
		unix.Shutdown(p.client, unix.SHUT_WR)
		t.fill(p.server)
		t.close(p.server)
	},
	25: func(t *sockets) {
		p := t.connected(false)
		t.close(p.client)
		t.close(p.server)
	},
}

// like tells whether a line says the same as that of the page: times differ, numbers of bytes in full buffers, and how
// often a timer ran out in vain; if only it did, where it must have.
func (l ssLine) like(page ssLine) bool {
	same := l.state == page.state && l.timer == page.timer && l.orphan == page.orphan && (l.again > 0 || page.again == 0)
	if page.sendQ > 1000 {
		return same && l.sendQ > 1000
	}
	return same && l.recvQ == page.recvQ && l.sendQ == page.sendQ
}

// What the page shows of ss is what this kernel and this ss show.
func TestLinesOfSSAreTheKernels(t *testing.T) {
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("no ss here: install iproute2")
	}
	if testing.Short() {
		t.Skip("waits for what is sent again")
	}
	want := ssLines(t)
	for n := range want {
		if howLinesOfSSCome[n] == nil {
			t.Errorf("line %d: nobody knows how it comes about", n)
		}
	}
	beside(t)
	s := &sockets{T: t, open: map[int]bool{}}
	defer func() {
		for fd := range s.open {
			unix.Close(fd)
		}
	}()
	for _, come := range howLinesOfSSCome {
		come(s)
	}
	seen := map[int]bool{}
	var out []byte
	for deadline := time.Now().Add(20 * time.Second); len(seen) < len(want) && time.Now().Before(deadline); {
		var err error
		if out, err = exec.Command("ss", "-tanoep").Output(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			l, ok := readSS(line)
			for n, page := range want {
				if ok && l.like(page) {
					seen[n] = true
				}
			}
		}
	}
	for n, page := range want {
		if !seen[n] {
			t.Errorf("line %d did not come: %+v\n%s", n, page, out)
		}
	}
}
