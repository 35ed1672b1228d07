package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// ErrClosed is what a closed lab answers. errors.Is(ErrClosed, os.ErrClosed) holds.
var ErrClosed = fmt.Errorf("lab: %w", os.ErrClosed)

// goWait is how long closing a host waits for the functions on it.
const goWait = 2 * time.Second

// Host is one end of the wire: a network namespace with lo and one TUN device.
type Host struct {
	Name string     // "client" or "server"
	IPv4 netip.Addr // 198.51.100.1 or .2
	IPv6 netip.Addr // 2001:db8::1 or ::2; invalid where the kernel has no IPv6

	netns int          // descriptor of the namespace, for setns(2)
	inode uint64       // of the namespace, as in `ls -i /proc/PID/ns/net`
	tid   atomic.Int32 // the thread that serves Do; 0 when it has ended
	tun   *tun         // this host's end of the wire
	work  chan func()  // what Do wants done
	ended chan struct{}

	mu      sync.Mutex // guards what follows
	closed  bool
	running sync.WaitGroup // functions of Do and Go
}

// newHost makes the namespace, on a thread that stays in it to serve Do, and all that is in it.
func newHost(name string, v4, v6 netip.Prefix) (*Host, error) {
	h := &Host{Name: name, IPv4: v4.Addr(), netns: -1, work: make(chan func()), ended: make(chan struct{})}
	made := make(chan error)
	onOwnThread(func() {
		defer close(h.ended)
		defer h.tid.Store(0)
		if err := h.make(v4, v6); err != nil {
			h.release()
			made <- err
			return
		}
		made <- nil
		for f := range h.work {
			f()
		}
	})
	if err := <-made; err != nil {
		<-h.ended
		return nil, err
	}
	return h, nil
}

// make runs on the thread that becomes the host's.
func (h *Host) make(v4, v6 netip.Prefix) error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return unavailable(fmt.Errorf("unshare(CLONE_NEWNET): %w", err))
	}
	var err error
	h.tid.Store(int32(unix.Gettid()))
	if h.netns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("lab: open /proc/thread-self/ns/net: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.netns, &st); err != nil {
		return fmt.Errorf("lab: fstat of a namespace: %w", err)
	}
	h.inode = st.Ino
	hasIPv6, err := h.enableIPv6()
	if err != nil {
		return err
	}
	if h.tun, err = openTUN(); err != nil {
		return unavailable(err)
	}
	if hasIPv6 {
		h.IPv6 = v6.Addr()
		return configure(v4, v6)
	}
	return configure(v4)
}

// Do runs f on a thread of the host's namespace and returns what f returns. Sockets that f makes belong to the host,
// and so do /proc/thread-self/net and the processes that f starts. One f runs at a time: for what blocks there is Go.
func (h *Host) Do(f func() error) error {
	if int32(unix.Gettid()) == h.tid.Load() { // called from inside another Do: no other goroutine runs on that thread
		return f()
	}
	var err error
	done := make(chan struct{})
	job := func() {
		defer close(done)
		err = f()
	}
	if err := h.enter(); err != nil {
		return err
	}
	defer h.running.Done()
	select {
	case h.work <- job:
	case <-h.ended: // an earlier f ended its goroutine (runtime.Goexit, as t.FailNow does)
		return ErrClosed
	}
	<-done
	return err
}

// Go runs f in a new goroutine, on a thread that is in the host's namespace for as long as f runs and ends with it. It
// returns when the thread has entered the namespace, or the error of setns(2), or ErrClosed. Goroutines that f itself
// starts are not in the namespace.
func (h *Host) Go(f func()) error {
	if err := h.enter(); err != nil {
		return err
	}
	entered := make(chan error)
	onOwnThread(func() {
		defer h.running.Done()
		err := unix.Setns(h.netns, unix.CLONE_NEWNET)
		if err != nil {
			err = fmt.Errorf("lab: setns to the %s's namespace: %w", h.Name, err)
		}
		entered <- err
		if err == nil {
			f()
		}
	})
	return <-entered
}

// enter has close wait for one more function.
func (h *Host) enter() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.running.Add(1)
	return nil
}

// close ends the host: first those who use it, then the thread that serves Do, then the descriptors.
func (h *Host) close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	all := make(chan struct{})
	go func() {
		h.running.Wait()
		close(h.work) // the thread ends when the last of them does
		close(all)
	}()
	var err error
	select {
	case <-all:
		<-h.ended
	case <-time.After(goWait):
		err = fmt.Errorf("lab: functions on the %s have not returned: its namespace stays until they do", h.Name)
	}
	h.release()
	return err
}

// release closes the host's descriptors. The TUN device is gone with its own.
func (h *Host) release() {
	if h.tun != nil {
		h.tun.close()
		h.tun = nil
	}
	if h.netns >= 0 {
		unix.Close(h.netns)
		h.netns = -1
	}
}

var errNotOnHost = errors.New("lab: this thread is not in the lab's namespace")
