package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// keyboard is a terminal that keys are read from, each as it is pressed and not shown. Ctrl-C and Ctrl-Z keep their
// meaning.
type keyboard struct {
	fd     int
	before *unix.Termios // as it was; nil if it is no terminal
}

// take makes the terminal so, if this program is in its foreground.
func (k *keyboard) take() {
	group, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP)
	if k.before == nil || err == nil && group != unix.Getpgrp() {
		return
	}
	t := *k.before
	t.Lflag &^= unix.ICANON | unix.ECHO
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	unix.IoctlSetTermios(k.fd, unix.TCSETS, &t)
}

// giveBack has the terminal as it was.
func (k *keyboard) giveBack() {
	if k.before != nil {
		unix.IoctlSetTermios(k.fd, unix.TCSETS, k.before)
	}
}

// takeKeyboard takes the keys of a terminal.
func takeKeyboard(in *os.File) *keyboard {
	k := &keyboard{fd: int(in.Fd())}
	k.before, _ = unix.IoctlGetTermios(k.fd, unix.TCGETS)
	k.take()
	return k
}

// guard has the terminal given back before a signal ends the program at once: SIGQUIT, or a second of those that
// Interruptible waits for once. It is in force until end is called.
func (k *keyboard) guard() (end func()) {
	signals, over := make(chan os.Signal, 8), make(chan struct{})
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	var handler sync.WaitGroup
	handler.Go(func() {
		for asked := false; ; {
			select {
			case s := <-signals:
				if !asked && s != unix.SIGQUIT {
					asked = true
					continue
				}
				k.giveBack()
				signal.Reset(s)
				unix.Kill(unix.Getpid(), s.(unix.Signal))
			case <-over:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(over)
		handler.Wait()
	}
}

// onStop has something done before Ctrl-Z stops the program, and when it goes on (fg), until end is called.
func onStop(stop, goOn func()) (end func()) {
	signals, over := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, unix.SIGTSTP, unix.SIGCONT)
	var handler sync.WaitGroup
	handler.Go(func() {
		for {
			select {
			case s := <-signals:
				if s == unix.SIGTSTP && somebodyCanContinue(unix.Getppid()) {
					stop()
					unix.Kill(unix.Getpid(), unix.SIGSTOP) // SIGTSTP is Go's as long as it is asked for, and then does nothing
				} else {
					goOn() // for a SIGTSTP too: the kernel takes back a SIGCONT that waits when SIGTSTP comes
				}
			case <-over:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(over)
		handler.Wait()
	}
}

// somebodyCanContinue tells whether this process group has a parent that could have it go on: a shell with job control.
// The kernel does not stop one that has none (setpgid(2), orphaned process groups).
func somebodyCanContinue(parent int) bool {
	group, err := unix.Getpgid(parent)
	if err != nil || parent <= 1 {
		return false
	}
	if group != unix.Getpgrp() {
		theirs, err := unix.Getsid(parent)
		ours, _ := unix.Getsid(0)
		return err == nil && theirs == ours
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", parent)) // PID (NAME) STATE PARENT ...
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return false
	}
	next, err := strconv.Atoi(fields[1])
	return err == nil && somebodyCanContinue(next)
}
