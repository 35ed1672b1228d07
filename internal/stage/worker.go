package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A lesson in which a process dies needs one that can. It is this program once more, under a name that nobody calls it
// by, with a connection as its descriptor 3: it does nothing but hold that.

const workerName = "socklife worker"

// Worker is the first line of main, of every program in which scenarios are played: a process that was started to be a
// worker ends here.
func Worker() {
	if os.Args[0] != workerName || len(os.Args) > 1 {
		return
	}
	kind, err := unix.GetsockoptInt(workerConn, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM {
		fmt.Printf("getsockopt(%d, SO_TYPE): %v, %v", workerConn, kind, err)
		os.Exit(1)
	}
	work()
	os.Exit(0)
}

// What a worker has as its descriptors.
const (
	workerStdin  = iota // ends with whoever started it
	workerStdout        // takes atWork when the worker is at work, or what went wrong
	_
	workerConn // the connection
)

const atWork = "."

// work greets the peer, and then does nothing more.
func work() {
	say(workerConn, "at your service\n")
	say(workerStdout, atWork)
	for {
		n, err := unix.Read(workerStdin, make([]byte, 1))
		if n == 0 || err != nil && err != unix.EINTR {
			return
		}
	}
}

// errnoStatus and an errno are the exit status of a worker of which a call failed. 2 is that of a Go program that
// crashed.
const errnoStatus = 100

func say(fd int, text string) {
	for {
		switch _, err := unix.Write(fd, []byte(text)); err {
		case nil:
			return
		case unix.EINTR:
		default:
			os.Exit(errnoStatus + int(err.(unix.Errno)))
		}
	}
}

// Process is such a process.
type Process struct {
	pid   int
	stdin *os.File
	stop  func() bool
	must  func(error)

	mu    sync.Mutex
	ended bool // it has been waited for: its number may be another's
	how   unix.WaitStatus
}

// HandOver starts a process that has a descriptor for the connection, and waits until it has greeted the peer.
func (s *Side) HandOver(conn *Conn) *Process {
	w, greeted, err := s.startWorker(conn)
	conn.Must(err)
	s.trace.Shared(conn.sock)
	defer greeted.Close()
	w.must = conn.Must
	w.stop = context.AfterFunc(s.run.ctx, func() { _ = w.kill() })
	said := make([]byte, 200)
	if n, err := greeted.Read(said); string(said[:n]) != atWork {
		w.End()
		if status := w.how.ExitStatus(); status > errnoStatus {
			err = fmt.Errorf("write: %w", unix.Errno(status-errnoStatus))
		}
		conn.Must(fmt.Errorf("the worker process did not begin: %s", cmp.Or(string(said[:n]), fmt.Sprint(err))))
	}
	s.Note("process %d has a descriptor for this connection too", w.pid)
	return w
}

// startWorker gives the new process our descriptor itself: os.StartProcess wants an os.File, which would be one more
// descriptor of the connection, and close it on its own.
func (s *Side) startWorker(conn *Conn) (w *Process, greeted *os.File, err error) {
	stdin, hold, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer stdin.Close()
	greeted, stdout, err := os.Pipe()
	if err != nil {
		hold.Close()
		return nil, nil, err
	}
	defer stdout.Close()
	var pid int
	controlErr := conn.sock.Control(func(fd uintptr) {
		pid, err = syscall.ForkExec("/proc/self/exe", []string{workerName}, &syscall.ProcAttr{
			Env: os.Environ(), Files: []uintptr{stdin.Fd(), stdout.Fd(), os.Stderr.Fd(), fd},
		})
	})
	if err = errors.Join(controlErr, err); err != nil {
		hold.Close()
		greeted.Close()
		return nil, nil, fmt.Errorf("starting a worker process: %w", err)
	}
	return &Process{pid: pid, stdin: hold}, greeted, nil
}

// PID is its number.
func (w *Process) PID() int { return w.pid }

// Kill is kill -9. It returns the signal that the process died of.
func (w *Process) Kill() os.Signal {
	if err := w.kill(); err != nil {
		w.must(fmt.Errorf("SIGKILL for process %d: %w", w.pid, err))
	}
	if err := w.wait(); err != nil {
		w.must(fmt.Errorf("wait for process %d: %w", w.pid, err))
	}
	return w.how.Signal()
}

// kill sends SIGKILL, if the process was not waited for.
func (w *Process) kill() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return nil
	}
	return unix.Kill(w.pid, unix.SIGKILL)
}

// wait waits for the end of a process that was killed.
func (w *Process) wait() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.ended {
		switch _, err := unix.Wait4(w.pid, &w.how, 0, nil); err {
		case nil:
			w.ended = true
		case unix.EINTR:
		default:
			return err
		}
	}
	return nil
}

// End leaves nothing of it.
func (w *Process) End() {
	if w.stop != nil {
		w.stop()
	}
	w.stdin.Close()
	_ = w.kill()
	_ = w.wait()
}
