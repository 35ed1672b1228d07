package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// enteredEnv marks the run inside the user namespace.
const enteredEnv = "SOCKLIFE_LAB_ENTERED"

// Entered tells whether this process was started by Enter: it runs in a user namespace and only seems to be root.
func Entered() bool { return os.Getenv(enteredEnv) == "1" }

// Enter gives this process what New needs. A process that has it – root's – goes on at once: done is false.
//
// For an ordinary user it takes a user namespace, which only a process with a single thread can enter, and a Go
// program never is one. So Enter runs the whole program again, with the same arguments, as a child that is in one
// from its start; it returns with done set when the child has ended, and the caller must do nothing but exit with
// status. It must therefore be called first: before anything is read, opened or printed. In the child, Enter returns
// at once.
//
// The child has this process' standard streams, its terminal and its process group, so ^C and ^Z reach both. Signals
// that are sent to this process alone are passed on. (SIGINT and SIGQUIT are not while the process is in the terminal's
// foreground, where they come from the keyboard and the child has them already.) The child is killed if this process
// dies, so nothing outlives it.
//
// The error is *unsupported.Error where the kernel does not allow it.
func Enter() (done bool, status int, err error) {
	err = tryHere()
	if err == nil || Entered() || !unprivileged(err) {
		return false, 0, err
	}
	if err := tryUserNamespace(); err != nil {
		return false, 0, err
	}
	status, err = runAgain()
	return true, status, err
}

// runAgain runs this program in a user namespace and returns its exit status: 128 and the number of the signal
// if one killed it, as shells have it.
func runAgain() (int, error) {
	runtime.LockOSThread() // Pdeathsig is about the thread that started the child, prctl(2)
	defer runtime.UnlockOSThread()
	attr := userNamespace(0)
	attr.Pdeathsig = unix.SIGKILL
	c := &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args,
		Env:   append(os.Environ(), enteredEnv+"=1"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: attr,
	}
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2} {
		if !signal.Ignored(s) { // what nohup and background jobs ignore stays ignored, in the child too
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("lab: run again in a user namespace: %w", err)
	}
	go passOn(signals, c.Process) // until this process ends, which it does when the child has
	err := c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("lab: wait for the run in a user namespace: %w", err)
	}
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal()), nil
	}
	return c.ProcessState.ExitCode(), nil
}

func passOn(signals <-chan os.Signal, child *os.Process) {
	for s := range signals {
		if (s == unix.SIGINT || s == unix.SIGQUIT) && inForeground() {
			continue
		}
		child.Signal(s) // an error means that it has ended
	}
}

// inForeground tells whether this process group is the one that the terminal's keyboard sends signals to.
func inForeground() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return false // no terminal
	}
	defer unix.Close(fd)
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return err == nil && int(group) == unix.Getpgrp()
}
