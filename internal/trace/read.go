package trace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openPipes opens the buffers, one a CPU.
func openPipes(in *instance) (pipes []int, err error) {
	dir, err := in.Open("per_cpu")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	cpus, err := dir.Readdirnames(-1)
	for _, cpu := range cpus {
		fd, err := unix.Openat(int(dir.Fd()), cpu+"/trace_pipe_raw", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return pipes, os.NewSyscallError("open trace_pipe_raw", err)
		}
		pipes = append(pipes, fd)
	}
	return pipes, err
}

// Lost: the kernel's buffers were full, so that there are gaps in the trace.
type Lost struct{ Events uint64 } // at least so many

func (l *Lost) Error() string {
	return fmt.Sprintf("the kernel's trace buffers were full: at least %d transitions were lost", l.Events)
}

// Run hands each transition to f, in order, within milliseconds of its happening, until ctx is done; what has happened
// until then is delivered before it returns. Again and again it tells until, which may be nil, up to which moment
// everything has been handed over. The error is then nil, or a [*Lost]. There can be one Run at a time.
func (t *Trace) Run(ctx context.Context, f func(Event), until func(time.Time)) error {
	for ctx.Err() == nil {
		t.await()
		horizon := t.clock.stamp()
		if err := t.read(f, horizon); err != nil {
			return err
		}
		if until != nil {
			until(t.clock.at(t.queue.until(horizon)))
		}
	}
	return t.drain(f)
}

// tick bounds how long a transition goes unnoticed if the kernel does not wake us, for poll(2) on these files has had
// its faults; and how long Run goes on.
const tick = 20 * time.Millisecond

// await waits until there is something to read.
func (t *Trace) await() {
	var fds []unix.PollFd
	for _, fd := range t.pipes {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	unix.Poll(fds, int(tick.Milliseconds())) // interrupted is as good as woken
}

// drain reads until everything that has happened before it was called is delivered.
func (t *Trace) drain(f func(Event)) error {
	for until := t.clock.stamp(); ; time.Sleep(time.Millisecond) {
		if err := t.read(f, t.clock.stamp()); err != nil {
			return err
		}
		if !t.queue.holds(until) {
			return t.losses()
		}
	}
}

// read takes what is in the buffers and delivers what is certain to be in order, up to the horizon, which is now: the
// CPUs are read one after the other, so what happened after the reading began may follow something that was not read
// yet. A socket's transitions on different CPUs come one after the other under its lock, so whatever led to what
// happened before was in the buffers already.
func (t *Trace) read(f func(Event), horizon uint64) error {
	for _, fd := range t.pipes {
		if err := t.readPipe(fd, horizon); err != nil {
			return err
		}
	}
	ports := *t.ports.Load()
	t.queue.take(horizon, t.clock.stamp(), func(r *record) {
		if !ports.wants(&r.Event) {
			return
		}
		t.queue.settle(r)
		r.Time = t.clock.at(r.stamp)
		r.Lost, t.marked = t.missed-t.marked, t.missed
		f(r.Event)
	})
	return nil
}

// readPipe takes the pages of one CPU, up to the horizon.
func (t *Trace) readPipe(fd int, horizon uint64) error {
	for last := uint64(0); last <= horizon; {
		n, err := unix.Read(fd, t.room)
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
			r, ok, err := t.records.decode(stamp, b)
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

// losses reports what the kernel lost and was not reported before.
func (t *Trace) losses() error {
	lost := t.missed - t.reported
	if lost == 0 {
		return nil
	}
	t.reported = t.missed
	return &Lost{lost}
}
