package trace

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// transitions is the directory of the tracepoint in a trace instance.
const transitions = "events/sock/inet_sock_set_state"

// Trace is a running trace.
type Trace struct {
	clock   clock
	records tracepoint
	page    pageLayout
	in      *instance
	pipes   []int // the buffers, one a CPU
	close   func() error

	adding sync.Mutex // held while ports are added
	ports  atomic.Pointer[ports]

	// Of whoever reads.
	room     []byte // for a page
	queue    queue
	missed   uint64 // events that the kernel lost, by the pages read
	marked   uint64 // of these, noted in an event
	reported uint64 // of these, returned as an error
}

// Open starts a trace of its own, of sockets that have one of the ports on either end: others that run, ours or
// anybody's, are not disturbed, and do not see it. A server's port is the one to use: a client gets its own only after
// it has gone to SYN-SENT. Port 0 stands for all. It must be closed. Where the kernel or the user's rights do not allow
// it, the error is an [*unsupported.Error].
func Open(selected ...uint16) (*Trace, error) {
	root, err := openTracefs()
	if err != nil {
		return nil, explain(err)
	}
	defer root.Close()
	in, err := newInstance(root)
	if err != nil {
		return nil, explain(err)
	}
	t := &Trace{in: in, queue: newQueue()}
	t.close = sync.OnceValue(t.shut)
	p := ports(nil).with(selected)
	t.ports.Store(&p)
	if err := t.start(); err != nil {
		t.Close()
		return nil, explain(err)
	}
	return t, nil
}

// start learns how records look, and enables the tracepoint last of all.
func (t *Trace) start() (err error) {
	text, err := t.in.ReadFile(transitions + "/format")
	if err != nil {
		return err
	}
	if t.records, err = parseTracepoint(string(text)); err != nil {
		return err
	}
	if text, err = t.in.ReadFile("events/header_page"); err != nil {
		return err
	}
	if t.page, err = parsePageLayout(string(text)); err != nil {
		return err
	}
	t.room = make([]byte, t.page.data.end())
	t.clock = newClock()
	if t.pipes, err = openPipes(t.in); err != nil {
		return err
	}
	return t.in.setUp(bufferKB(len(t.pipes)), t.ports.Load().expression())
}

// bufferKB is the size of each CPU's buffer. A megabyte holds some 13,000 transitions, and is read every few
// milliseconds; all of them together stay below 64 MB.
func bufferKB(cpus int) int { return max(64, min(1024, 64<<10/max(cpus, runtime.NumCPU()))) }

// AddPorts selects more ports. A transition that begins after it has returned is seen: a listener's port is to be added
// after bind(2), and before listen(2). On Linux 6.18 that takes less than a millisecond; older kernels first wait until
// no CPU uses the filter before, some tens of milliseconds.
func (t *Trace) AddPorts(more ...uint16) error {
	t.adding.Lock()
	defer t.adding.Unlock()
	before := t.ports.Load().expression()
	p := t.ports.Load().with(more)
	t.ports.Store(&p)
	if e := p.expression(); e != before {
		return t.in.write(transitions+"/filter", e)
	}
	return nil
}

// Close ends the trace and removes its instance from the kernel; a [Trace.Run] must have returned. More calls do
// nothing and return the same. Where the program ends without, the kernel stops the trace and frees its memory, and the
// next [Open] of any process removes what is left.
func (t *Trace) Close() error { return t.close() }

func (t *Trace) shut() error {
	for _, fd := range t.pipes {
		unix.Close(fd)
	}
	return t.in.remove()
}
