package torture

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shortPieces have the commands read and write less than they could, for real: peers with the smallest buffers, and
// pieces of any size.
func shortPieces(t *testing.T) (list []trial) {
	for seed := range uint64(40) {
		list = append(list,
			trial{kind: "short", target: "echod", what: fmt.Sprint(seed), run: func(r *result) { shortClient(r, seed) }},
			trial{kind: "short", target: "echoc ADDR", what: fmt.Sprint(seed), run: func(r *result) { shortServer(r, seed) }},
			trial{kind: "short", target: "echoc --json half-close", what: fmt.Sprint(seed), run: func(r *result) { shortReader(r, seed) }})
	}
	return some(list, 6)
}

// inPieces copies in pieces whose sizes are chance's.
func inPieces(to io.Writer, from io.Reader, chance *rand.Rand) error {
	b := make([]byte, 5000)
	for {
		n, err := from.Read(b[:1+chance.IntN(1+chance.IntN(len(b)))])
		for p := b[:n]; len(p) > 0; {
			part := 1 + chance.IntN(len(p))
			if _, err := to.Write(p[:part]); err != nil {
				return err
			}
			p = p[part:]
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// narrow gives a socket small buffers, before it has told anybody how much it takes.
func narrow(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
	})
}

func shortClient(r *result, seed uint64) {
	p := r.newProcess(nil, "echod", "--listen", "127.0.0.1:0")
	defer p.remove()
	addr, ok := p.listening()
	if !ok {
		r.worse(unmet, "it does not listen")
		return
	}
	c, err := (&net.Dialer{Control: narrow}).Dial("tcp", addr)
	if err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(deadline * p.more))
	go func() {
		inPieces(c, bytes.NewReader(payload), rand.New(rand.NewPCG(seed, 1)))
		c.(*net.TCPConn).CloseWrite()
	}()
	var got bytes.Buffer
	if err := inPieces(&got, c, rand.New(rand.NewPCG(seed, 2))); err != nil || !bytes.Equal(got.Bytes(), payload) {
		r.worse(lying, "%d of %d bytes came back, %v", got.Len(), len(payload), err)
	}
	r.Done = 1
	p.signal(unix.SIGTERM)
	r.finished(p, p.wait(deadline), "")
	r.ended(p, "", "", true)
}

func shortServer(r *result, seed uint64) {
	l, err := (&net.ListenConfig{Control: narrow}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		inPieces(c, c, rand.New(rand.NewPCG(seed, 3)))
	}()
	p := r.newProcess(nil, "echoc", "--quiet", l.Addr().String())
	defer p.remove()
	in, out, ok := r.pipes(p)
	if !ok {
		return
	}
	go func() {
		inPieces(in, bytes.NewReader(payload), rand.New(rand.NewPCG(seed, 4)))
		in.Close()
	}()
	var got bytes.Buffer
	inPieces(&got, out, rand.New(rand.NewPCG(seed, 5)))
	r.Done = 1
	r.finished(p, p.wait(deadline), "")
	r.ended(p, "", "", true)
	if !bytes.Equal(got.Bytes(), payload) {
		r.worse(lying, "%d of %d bytes came back", got.Len(), len(payload))
	}
}

// shortReader reads a timeline through the smallest pipe.
func shortReader(r *result, seed uint64) {
	p := r.newProcess(nil, "echoc", "--json", "half-close")
	defer p.remove()
	in, out, ok := r.pipes(p)
	if !ok {
		return
	}
	in.Close()
	unix.FcntlInt(out.Fd(), unix.F_SETPIPE_SZ, 4096)
	inPieces(&p.out, out, rand.New(rand.NewPCG(seed, 6)))
	r.Done = 1
	r.finished(p, p.wait(deadline), "")
	r.ended(p, "", "", true)
	r.complete(p, 1)
}

// pipes starts a process with pipes as standard input and output.
func (r *result) pipes(p *process) (in, out *os.File, ok bool) {
	stdin, in, err := os.Pipe()
	if err != nil {
		r.worse(unmet, "%v", err)
		return nil, nil, false
	}
	defer stdin.Close()
	out, stdout, err := os.Pipe()
	if err != nil {
		r.worse(unmet, "%v", err)
		return nil, nil, false
	}
	defer stdout.Close()
	p.cmd.Stdin, p.cmd.Stdout = stdin, stdout
	if err := p.start(); err != nil {
		r.worse(unmet, "%v", err)
		return nil, nil, false
	}
	return in, out, true
}
