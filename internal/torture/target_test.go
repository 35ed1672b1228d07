package torture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// target is a way to use the commands in which something fails.
type target struct {
	name string
	play func(r *result, strace []string, call, errno string, wantOK bool)
}

// alone is a scenario in one process.
func alone(args ...string) target {
	return target{strings.Join(append([]string{"echoc"}, args...), " "), func(r *result, strace []string, call, errno string, wantOK bool) {
		p := r.newProcess(strace, "echoc", append([]string{"--json"}, args...)...)
		defer p.remove()
		if err := p.start(); err != nil {
			r.worse(unmet, "%v", err)
			return
		}
		finished := p.wait(deadline)
		r.Done = p.injected()
		r.finished(p, finished, call)
		r.ended(p, call, errno, wantOK)
		r.complete(p, 1)
		r.files(p)
	}}
}

// finished judges a command that had to be killed. Three kinds of waiting are not its own: a close() that strace
// answers is not made, and the peer waits for what it would have sent; a read() that it answers with EAGAIN takes away
// what epoll has told of, once; and where Go's ForkExec cannot read how the new process fares, it waits for its end.
func (r *result) finished(p *process, in bool, call string) {
	switch errs := p.errs.String(); {
	case in:
	case goCalls[call] && ofGo.MatchString(errs):
		r.worse(runtimes, "") // and did not get to its end
	case call == "close", strings.HasPrefix(r.What, "read EAGAIN"):
		r.straces = true
		r.worse(complains, "")
	case call == "read" && r.Target == "echoc crash":
		r.straces = true
		r.worse(runtimes, "")
	default:
		r.worse(hang, "killed after %v", deadline)
	}
}

// inTwo is a scenario in two processes, of which one is tortured.
func inTwo(name string, server bool) target {
	side := "client"
	if server {
		side = "server"
	}
	return target{name + ", the " + side + " of two", func(r *result, strace []string, call, errno string, wantOK bool) {
		ofServer, ofClient := strace, strace
		if server {
			ofClient = nil
		} else {
			ofServer = nil
		}
		s := r.newProcess(ofServer, "echod", "--json", "--runs", "1", "--listen", "127.0.0.1:0", name)
		defer s.remove()
		addr, ok := s.listening()
		tortured := s
		var c *process
		if ok {
			c = r.newProcess(ofClient, "echoc", "--json", name, addr)
			defer c.remove()
			if err := c.start(); err != nil {
				r.worse(unmet, "%v", err)
			}
			if !server {
				tortured = c
			}
			clientDone := c.wait(deadline)
			if !server && !clientDone {
				r.finished(c, false, call)
			} else if !clientDone && call != "close" {
				r.worse(hang, "the client waits")
			}
		}
		if c == nil || !server && c.status() != 0 {
			s.signal(unix.SIGTERM) // it may have never heard of a client
		}
		if !s.wait(deadline) {
			if server {
				r.finished(s, false, call)
			} else if call != "close" {
				r.worse(hang, "the server waits")
			}
		}
		r.Done = tortured.injected()
		r.ended(tortured, call, errno, wantOK)
		r.complete(tortured, 1)
		if c != nil && server {
			r.complete(c, 1)
		}
	}}
}

// listening starts a server, and is where it listens; not ok where it ended before, or could not write the line.
func (p *process) listening() (addr string, ok bool) {
	found := make(chan string, 1)
	look := func() {
		for line := range strings.Lines(p.errs.String()) {
			if rest, is := strings.CutPrefix(line, "echod: listening on "); is && strings.HasSuffix(line, "\n") {
				select {
				case found <- strings.TrimSpace(rest):
				default:
				}
			}
		}
	}
	p.errs.more = look
	if p.start() != nil {
		return "", false
	}
	select {
	case addr = <-found:
		return addr, true
	case <-p.done:
	case <-time.After(deadline / 3 * p.more):
	}
	return "", false
}

// plainServer is echod, with clients one after the other until one is served, and then SIGTERM.
func plainServer(flags ...string) target {
	return target{strings.TrimSpace("echod " + strings.Join(flags, " ")), func(r *result, strace []string, call, errno string, wantOK bool) {
		p := r.newProcess(strace, "echod", append([]string{"--listen", "127.0.0.1:0"}, flags...)...)
		defer p.remove()
		addr, ok := p.listening()
		if ok {
			before := sockets(p.pid())
			served := false
			for try := 0; try < 6 && !served && p.running(); try++ {
				if served = r.client(addr); !served {
					p.endsWithin(200 * time.Millisecond)
				}
			}
			if !served && !p.endsWithin(2*time.Second*p.more) && call != "close" {
				r.worse(hang, "it runs, and serves nobody")
			}
			if after := p.socketsLeft(before); after > before && call != "close" {
				r.worse(leak, "%d sockets, %d before", after, before)
			}
		}
		p.signal(unix.SIGTERM)
		finished := p.wait(deadline)
		r.Done = p.injected()
		r.finished(p, finished, call)
		r.ended(p, call, errno, wantOK)
		for _, why := range r.cutShort {
			if r.Verdict != runtimes { // the kernel closes for a process that Go has aborted
				r.worse(lying, "%s", why)
			}
		}
	}}
}

func (p *process) running() bool { return !p.endsWithin(0) }

func (p *process) endsWithin(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	default:
	}
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}

// socketsLeft waits until a server has no more sockets than it had; it closes when it has seen the client's end.
func (p *process) socketsLeft(before int) (n int) {
	for end := time.Now().Add(3 * time.Second * p.more); ; time.Sleep(2 * time.Millisecond) {
		if n = sockets(p.pid()); n <= before || time.Now().After(end) {
			return n
		}
	}
}

var payload = func() []byte {
	b := make([]byte, 100_000)
	c := rand.NewChaCha8([32]byte{1})
	c.Read(b)
	return b
}()

// client sends, half-closes and reads: what comes is what was sent, from its beginning; if it ends well, all of it.
func (r *result) client(addr string) (served bool) {
	c, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(8 * time.Second * max(r.more, 1)))
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(payload)
		if err == nil {
			err = c.(*net.TCPConn).CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(c)
	switch {
	case !bytes.HasPrefix(payload, got):
		r.worse(lying, "%d bytes came back, and they are others", len(got))
	case err == nil && len(got) < len(payload) && <-sent == nil:
		r.cutShort = append(r.cutShort, fmt.Sprintf("the stream ends well after %d of %d bytes", len(got), len(payload)))
	}
	return err == nil && len(got) == len(payload)
}

// plainClient is echoc ADDR, with an echo server of the test's.
func plainClient(flags ...string) target {
	return target{strings.Join(append([]string{"echoc"}, flags...), " ") + " ADDR", func(r *result, strace []string, call, errno string, wantOK bool) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			r.worse(unmet, "%v", err)
			return
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					io.Copy(c, c)
					c.Close()
				}()
			}
		}()
		p := r.newProcess(strace, "echoc", append(flags, l.Addr().String())...)
		defer p.remove()
		in := filepath.Join(p.dir, "in")
		os.WriteFile(in, payload, 0o600)
		f, err := os.Open(in)
		if err != nil {
			r.worse(unmet, "%v", err)
			return
		}
		defer f.Close()
		os.Remove(in)
		p.cmd.Stdin = f
		if err := p.start(); err != nil {
			r.worse(unmet, "%v", err)
			return
		}
		finished := p.wait(deadline)
		r.Done = p.injected()
		r.finished(p, finished, call)
		out := p.out.String()
		r.endedTalk(p, call, errno, wantOK)
		switch {
		case !strings.HasPrefix(string(payload), out):
			r.worse(lying, "%d bytes came back, and they are others", len(out))
		case p.status() == 0 && len(out) < len(payload):
			r.worse(lying, "status 0 after %d of %d bytes", len(out), len(payload))
		}
	}}
}

// endedTalk is ended for a client that narrates on standard error: only the last line is a complaint.
func (r *result) endedTalk(p *process, call, errno string, wantOK bool) {
	r.ended(p, call, errno, wantOK)
}

// targets are the ways to use the commands.
func targets() []target {
	list := []target{
		plainServer(), plainServer("--json"), plainClient("--quiet"), plainClient("--json"),
		alone("half-close"), alone("--record", "run.jsonl", "close"), alone("--html", "run.html", "--svg", "run.svg", "close"), alone("backlog"), alone("crash"),
		inTwo("half-close", true), inTwo("half-close", false),
	}
	if canWire() {
		list = append(list, alone("--wire", "close"), alone("--wire", "--pcap", "run.pcapng", "close"))
	}
	if os.Getuid() == 0 {
		list = append(list, alone("--capture", "--pcap", "run.pcapng", "close"))
		if works("--trace") {
			list = append(list, alone("--trace", "close"))
		}
	}
	return list
}

func canWire() bool { return works("--wire") }

// works tells whether a run with that flag does, here.
func works(flags ...string) bool {
	r := &result{more: moreTime}
	p := r.newProcess(nil, "echoc", append(flags, "-q", "handshake")...)
	defer p.remove()
	return p.start() == nil && p.wait(deadline) && p.status() == 0
}

// wholeCapture walks the blocks of a pcapng file, each of which has its length at both ends.
func wholeCapture(b []byte) bool {
	n := 0
	for ; len(b) >= 12; n++ {
		size := int(binary.NativeEndian.Uint32(b[4:]))
		if size < 12 || size > len(b) || int(binary.NativeEndian.Uint32(b[size-4:])) != size {
			return false
		}
		b = b[size:]
	}
	return len(b) == 0 && n > 3
}
