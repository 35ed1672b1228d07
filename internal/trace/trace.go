package trace

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// The tracepoint, and its directory in a trace instance.
const (
	tracepoint  = "sock:inet_sock_set_state"
	transitions = "events/sock/inet_sock_set_state"
)

// Trace is a running trace. Its methods may be called from any goroutine.
type Trace struct {
	clock  clock
	layout layout
	page   pageLayout
	in     *instance
	pipes  []pipe // the buffers, one a CPU
	filter atomic.Pointer[Filter]

	reading sync.Mutex // held while events are read and delivered: one order for all
	room    []byte     // for a page
	queue   queue
	sink    func(Event) // of the Run under way
	missed  uint64      // events that the kernel lost, by the pages read
	marked  uint64      // of these, noted in an event
	told    uint64      // of all the kernel lost, returned as an error

	life  sync.Mutex // held while the filter is changed, and while the trace ends
	ctx   context.Context
	end   context.CancelFunc
	runs  sync.WaitGroup
	close func() error
}

// Open starts a trace of its own: others that run, ours or anybody's, are not disturbed, and do not see it. It must be
// closed. Where the kernel or the user's rights do not allow it, the error is an [*unsupported.Error].
func Open(f Filter) (*Trace, error) {
	root, err := openTracefs()
	if err != nil {
		return nil, explain(err)
	}
	defer root.close()
	in, err := newInstance(root)
	if err != nil {
		return nil, explain(err)
	}
	t := &Trace{in: in, queue: newQueue()}
	t.ctx, t.end = context.WithCancel(context.Background())
	t.close = sync.OnceValue(t.shut)
	f = f.with(nil)
	t.filter.Store(&f)
	if err := t.start(); err != nil {
		t.Close()
		return nil, explain(err)
	}
	return t, nil
}

// start learns how records look, and enables the tracepoint last of all.
func (t *Trace) start() (err error) {
	text, err := t.in.read(transitions + "/format")
	if err != nil {
		return err
	}
	if t.layout, err = parseLayout(string(text)); err != nil {
		return err
	}
	if text, err = t.in.read("events/header_page"); err != nil {
		return err
	}
	if t.page, err = parsePageLayout(string(text)); err != nil {
		return err
	}
	t.room = make([]byte, t.page.size)
	if t.clock, err = newClock(); err != nil {
		return err
	}
	if t.pipes, err = openPipes(t.in); err != nil {
		return err
	}
	return t.in.setUp(bufferKB(len(t.pipes)), t.filter.Load().expression())
}

// bufferKB is the size of each CPU's buffer. A megabyte holds some 13,000 transitions, and is read every few
// milliseconds; all of them together stay below 64 MB.
func bufferKB(cpus int) int { return max(64, min(1024, 64<<10/max(cpus, runtime.NumCPU()))) }

// AddPorts selects more ports. A transition that begins after it has returned is seen: a listener's port is to be added after
// bind(2), and before listen(2). On Linux 6.18 that takes less than a millisecond; older kernels first wait until no CPU uses the
// filter before, some tens of milliseconds.
func (t *Trace) AddPorts(ports ...uint16) error {
	t.life.Lock()
	defer t.life.Unlock()
	if t.ctx.Err() != nil {
		return os.ErrClosed
	}
	before := t.filter.Load().expression()
	f := t.filter.Load().with(ports)
	t.filter.Store(&f)
	if e := f.expression(); e != before {
		return t.in.write(transitions+"/filter", e)
	}
	return nil
}

// Close ends the trace and removes its instance from the kernel. A [Trace.Run] under way delivers what there is and returns
// first. More calls do nothing and return the same. Where the program ends without, the kernel stops the trace and frees
// its memory, and the next [Open] of any process removes what is left.
func (t *Trace) Close() error { return t.close() }

func (t *Trace) shut() error {
	t.life.Lock()
	t.end()
	t.life.Unlock()
	t.runs.Wait()
	t.reading.Lock()
	defer t.reading.Unlock()
	closePipes(t.pipes)
	return t.in.remove()
}
