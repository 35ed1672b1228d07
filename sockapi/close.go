package sockapi

import (
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Close is close(2): it gives up the descriptor, and ends the connection if this was the last one of it. First it waits
// for the calls in progress on this Socket, which close(2) does not wake; new ones fail from then on.
//
// The descriptor is gone even if close(2) fails, so it is never made twice; a second Close fails with an error that
// wraps os.ErrClosed.
func (s *Socket) Close() error {
	c := Call{Name: "close", FD: s.fd}
	if s.closing.Swap(true) {
		return s.fail(&c, 0)
	}
	entered := false
	defer func() {
		if !entered { // the tracer's Enter panicked: the socket stays open, for another Close
			s.closing.Store(false)
		}
	}()
	s.enterKernel(&c, func(fd int) (int, unix.Errno) {
		entered = true
		s.calls.Lock() // and never unlocked
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		if s.tracer != nil { // the clock starts when the calls in progress have returned
			c.Entered = time.Now()
		}
		if s.unseen() && !lingers(fd) {
			_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
			return 0, errno
		}
		return 0, errnoOf(unix.Close(fd))
	})
	if c.Errno != 0 {
		return s.fail(&c, c.Errno)
	}
	return nil
}

// lingers says whether close(2) may wait, which with SO_LINGER it does even if nothing else does (socket(7)).
func lingers(fd int) bool {
	var l unix.Linger
	size := uint32(unsafe.Sizeof(l))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER,
		uintptr(unsafe.Pointer(&l)), uintptr(unsafe.Pointer(&size)), 0)
	return errno != 0 || l.Onoff != 0 && l.Linger != 0
}

// Abort wakes the calls that wait in the socket, by shutting both directions down. They fail, and so do all later ones
// except Close, with an error that wraps os.ErrClosed; those on an [Socket.Untraced] of it go on. It is for the end of
// a run, from another goroutine; it is not traced. The descriptor stays open until Close; a Close that waits for such
// calls goes on.
func (s *Socket) Abort() {
	s.aborted.Store(true)
	if !s.wake() {
		return
	}
	// A connect that has passed the check for aborted but not yet begun has nothing that could be shut down. It will
	// have, in a moment.
	go func() {
		for s.wake() {
			time.Sleep(time.Millisecond)
		}
	}()
}

// wake shuts both directions down. It reports whether to try again.
func (s *Socket) wake() bool {
	s.mu.Lock() // and not calls, which Close may be waiting for
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	// ENOTCONN is no news for a socket that was never connected.
	if err := unix.Shutdown(s.fd, unix.SHUT_RDWR); err == unix.EBUSY {
		interruptThreads()
	}
	return s.connecting.Load() > 0
}

// interruptThreads has every thread of this process look at a signal, the one with which Go's scheduler does the same,
// and so leave the kernel for a moment. A connect that waits there keeps shutdown from ending the connection (EBUSY) on
// Linux 6.4 to 6.6, and on older ones that were given the same change; when it goes on, shutdown has had it told so.
func interruptThreads() {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task.Name()); err == nil {
			_ = unix.Tgkill(unix.Getpid(), tid, unix.SIGURG)
		}
	}
}
