package echo

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// poller is an epoll(7) instance, level-triggered, and an eventfd(2) in it with which other goroutines end a wait.
type poller struct {
	epoll int
	brief time.Duration // how long it waits at first without telling Go's scheduler; see waitBriefly

	mu     sync.Mutex // between notify, from any goroutine, and close
	wakeup int        // the eventfd; -1 once closed
}

func newPoller(brief time.Duration) (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(ep)
		return nil, fmt.Errorf("eventfd2: %w", err)
	}
	p := &poller{epoll: ep, wakeup: fd, brief: brief}
	if err := p.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) control(op, fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno != 0 {
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}

// set registers a socket, or changes what it is registered for. EPOLLERR and EPOLLHUP always come.
func (p *poller) set(op int, s *sockapi.Socket, events uint32) error {
	var err error
	if closed := s.Control(func(fd uintptr) { err = p.control(op, int(fd), events) }); closed != nil {
		return closed
	}
	return err
}

// remove must come before the socket is closed: if something has duplicated the descriptor, closing it does not end the
// registration (epoll(7), "Questions and answers"), and events would come for a number without an owner.
func (p *poller) remove(s *sockapi.Socket) {
	_ = p.set(unix.EPOLL_CTL_DEL, s, 0) // it is registered, or was never: nothing to do about either
}

// wait fills events; timeout < 0 is no limit. It may return none before its time, interrupted by a signal (Go's runtime
// sends them to its threads): the caller's deadlines are absolute, so it computes the timeout anew.
func (p *poller) wait(events []unix.EpollEvent, timeout time.Duration) (int, error) {
	if p.brief > 0 {
		if n := p.waitBriefly(events, timeout); n > 0 || 0 <= timeout && timeout <= p.brief {
			return n, nil
		}
	}
	n, err := unix.EpollWait(p.epoll, events, milliseconds(timeout))
	if err == unix.EINTR {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("epoll_wait: %w", err)
	}
	return n, nil
}

// briefly is how long a busy server waits without telling Go's scheduler, which takes it to be at work. It is longer
// than a tick of the kernel's clock (1 to 10 ms): a timer that is due sooner has the clock's hardware set anew at each
// wait, which was a fifth of what one message cost in a virtual machine.
const briefly = 20 * time.Millisecond

// waitBriefly is for the waits of a busy server, as are the other calls here and in package sockapi that the scheduler
// is not told of. It has to know of long ones, so that it lends the processor to other goroutines meanwhile. But while
// it sees calls that take more than 20 microseconds, a thread of its own looks every 20 whether it is time to: a tenth
// of what a server does that accepts and closes, and does nothing else.
func (p *poller) waitBriefly(events []unix.EpollEvent, timeout time.Duration) int {
	if timeout < 0 || timeout > p.brief {
		timeout = p.brief
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)),
		uintptr(milliseconds(timeout)), 0, 0)
	if errno != 0 { // a signal; or what a longer wait will say
		return 0
	}
	return int(n)
}

// milliseconds rounds up, so that a wait never ends before its time to start again at once.
func milliseconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int(min((d+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
}

// notify ends the wait in progress, or the next one.
func (p *poller) notify() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wakeup >= 0 {
		var one [8]byte
		binary.NativeEndian.PutUint64(one[:], 1)
		for range 10 { // it cannot fail, but if it does nobody else tells the loop to end
			if _, err := unix.Write(p.wakeup, one[:]); err == nil {
				return
			}
		}
	}
}

// isWakeup says whether an event is notify's, and takes it back if so.
func (p *poller) isWakeup(fd int32) bool {
	if int(fd) != p.wakeup {
		return false
	}
	var count [8]byte
	_, _ = unix.Read(p.wakeup, count[:])
	return true
}

func (p *poller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wakeup >= 0 {
		unix.Close(p.wakeup)
		unix.Close(p.epoll)
		p.wakeup = -1
	}
}
