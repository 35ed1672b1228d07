package trace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pipe is the buffer of one CPU.
type pipe struct {
	fd    int
	stats string // the file with its statistics
}

func openPipes(in *instance) (pipes []pipe, err error) {
	cpus, err := in.folder.folder("per_cpu")
	if err != nil {
		return nil, err
	}
	defer cpus.close()
	names, err := cpus.names()
	if err != nil {
		return nil, err
	}
	for _, cpu := range names {
		if !strings.HasPrefix(cpu, "cpu") {
			continue
		}
		fd, err := cpus.open(cpu+"/trace_pipe_raw", unix.O_RDONLY|unix.O_NONBLOCK)
		if err != nil {
			return pipes, err
		}
		pipes = append(pipes, pipe{fd, "per_cpu/" + cpu + "/stats"})
	}
	return pipes, nil
}

func closePipes(pipes []pipe) {
	for _, p := range pipes {
		unix.Close(p.fd)
	}
}

// Lost: the kernel's buffers were full, so that there are gaps in the trace.
type Lost struct{ Events uint64 }

func (l *Lost) Error() string {
	return fmt.Sprintf("the kernel's trace buffers were full: %d transitions were lost", l.Events)
}

// ErrRunning: there can be one Run at a time.
var ErrRunning = errors.New("the trace is being read already")

// Run hands each transition to f, in order and one at a time, within milliseconds of its happening, until ctx is done or the
// trace is closed; what has happened until then is delivered before it returns. The error is then nil, or a [*Lost]. f must
// not call the trace's methods.
func (t *Trace) Run(ctx context.Context, f func(Event)) error {
	if err := t.enter(f); err != nil {
		return err
	}
	defer t.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	wake, done, err := wakeWhen(ctx)
	if err != nil {
		return err
	}
	defer done()
	for ctx.Err() == nil {
		t.await(wake)
		if err := t.pass(f); err != nil {
			return err
		}
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	return t.drain(f)
}

// enter makes f the one who gets the events.
func (t *Trace) enter(f func(Event)) error {
	t.life.Lock()
	defer t.life.Unlock()
	if t.ctx.Err() != nil {
		return os.ErrClosed
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	if t.sink != nil {
		return ErrRunning
	}
	t.sink = f
	t.runs.Add(1)
	return nil
}

func (t *Trace) leave() {
	t.reading.Lock()
	t.sink = nil
	t.reading.Unlock()
	t.runs.Done()
}

// Drain returns, in order, all transitions up to now that were not delivered yet: those of a system call that has returned
// are among them. While a [Trace.Run] is under way they go to its function instead, before Drain returns. The error may
// be a [*Lost]; the events are valid all the same.
func (t *Trace) Drain() ([]Event, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	if t.ctx.Err() != nil && t.sink == nil {
		return nil, os.ErrClosed
	}
	var events []Event
	f := t.sink
	if f == nil {
		f = func(e Event) { events = append(events, e) }
	}
	err := t.drain(f)
	return events, err
}

// wakeWhen gives a descriptor that becomes readable when ctx is done.
func wakeWhen(ctx context.Context) (fd int, done func(), err error) {
	fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, nil, os.NewSyscallError("eventfd", err)
	}
	written := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(written)
		unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 1}) // not 0, in either byte order
	})
	return fd, func() {
		if !stop() {
			<-written
		}
		unix.Close(fd)
	}, nil
}

// tick bounds how long a transition goes unnoticed if the kernel does not wake us: poll(2) on these files has had
// its faults.
const tick = 20 * time.Millisecond

// await waits until there is something to read.
func (t *Trace) await(wake int) {
	fds := []unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}}
	for _, p := range t.pipes {
		fds = append(fds, unix.PollFd{Fd: int32(p.fd), Events: unix.POLLIN})
	}
	unix.Poll(fds, int(tick.Milliseconds())) // interrupted is as good as woken
}

// pass reads once what there is.
func (t *Trace) pass(f func(Event)) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	return t.read(f)
}

// drain reads until everything that has happened before it was called is delivered.
func (t *Trace) drain(f func(Event)) error {
	for until := t.clock.stamp(); ; time.Sleep(time.Millisecond) {
		if err := t.read(f); err != nil {
			return err
		}
		if !t.queue.holds(until) {
			return t.losses()
		}
	}
}

// read takes what is in the buffers and delivers what is certain to be in order: the CPUs are read one after the other, so
// what happened after the reading began may follow something that was not read yet. A socket's transitions on different
// CPUs come one after the other under its lock, so whatever led to what happened before was in the buffers already.
func (t *Trace) read(f func(Event)) error {
	horizon := t.clock.stamp()
	for _, p := range t.pipes {
		if err := t.readPipe(p, horizon); err != nil {
			return err
		}
	}
	filter := *t.filter.Load()
	t.queue.take(horizon, t.clock.stamp(), func(r *record) {
		if !filter.wants(&r.Event) {
			return
		}
		t.queue.identify(r)
		r.Time = t.clock.at(r.stamp)
		r.Lost, t.marked = t.missed-t.marked, t.missed
		f(r.Event)
	})
	return nil
}

// readPipe takes the pages of one CPU, up to the horizon.
func (t *Trace) readPipe(p pipe, horizon uint64) error {
	for last := uint64(0); last <= horizon; {
		n, err := unix.Read(p.fd, t.room)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN || err == nil && n == 0:
			return nil
		case err != nil:
			return os.NewSyscallError("read trace_pipe_raw", err)
		}
		var bad error
		missed, err := t.page.decode(t.room[:n], func(stamp uint64, b []byte) {
			last = stamp
			r, ok, err := t.layout.decode(stamp, b)
			if ok {
				t.queue.add(r)
			}
			bad = errors.Join(bad, err)
		})
		t.missed += missed
		if err := errors.Join(err, bad); err != nil {
			return err
		}
	}
	return nil
}

// losses asks the kernel what it lost, and reports what was not reported before.
func (t *Trace) losses() error {
	total := uint64(0)
	for _, p := range t.pipes {
		text, err := t.in.read(p.stats)
		if err != nil {
			return err
		}
		total += parseLosses(string(text))
	}
	total = max(total, t.missed)
	if total <= t.told {
		return nil
	}
	l := &Lost{total - t.told}
	t.told = total
	return l
}

// parseLosses adds up the lines of a buffer's statistics that count events which nobody will read.
func parseLosses(stats string) (n uint64) {
	for line := range strings.Lines(stats) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "overrun", "commit overrun", "dropped events":
			v, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			n += v
		}
	}
	return n
}
