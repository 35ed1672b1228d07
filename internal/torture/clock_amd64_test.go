package torture

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The machine's clock is everybody's, and no namespace has one of its own. So it is set for one process alone: a tracer
// takes its vDSO away, and what clock_gettime(CLOCK_REALTIME) answers goes an hour forth and back, many times a second.
// What the kernel itself stamps keeps the machine's time, so --capture is not among these.

// clockSteps plays scenarios so. What takes how long, and what comes after what, must be as ever.
func clockSteps(t *testing.T) (list []trial) {
	lines := forms(t)
	if works("--trace") {
		lines = append(lines, []string{"--trace", "close"}, []string{"--trace", "half-close"})
	}
	for _, line := range lines {
		list = append(list, trial{kind: "clock", target: "echoc " + strings.Join(line, " "), what: "an hour, several times a second", run: func(r *result) { r.stepped(line) }})
	}
	return some(list, 4)
}

func (r *result) stepped(line []string) {
	p := r.newProcess(nil, "echoc", append([]string{"--json"}, line...)...)
	defer p.remove()
	s := &stepper{began: time.Now()}
	if err := s.run(p); err != nil {
		r.worse(unmet, "%v", err)
		return
	}
	if r.Done = s.changed; s.changed == 0 && p.status() == 0 {
		r.worse(unmet, "it never asked for the time")
	}
	r.ended(p, "", "", p.status() != 3)
	if s.late {
		r.worse(hang, "killed after %v", 2*deadline)
	}
	r.complete(p, 1)
	all, _ := parsed(p.out.String())
	last := 0.0
	for _, e := range all {
		at, _ := e["at_us"].(float64)
		took, _ := e["took_us"].(float64)
		if limit := float64((2 * deadline).Microseconds()); at < last || at > limit || took < 0 || took > limit {
			r.worse(lying, "event %v at %v us, after %v, took %v us", e["seq"], at, last, took)
			break
		}
		last = at
	}
}

// stepper is a tracer.
type stepper struct {
	began   time.Time
	changed int
	late    bool
}

// offset is by how much the clock is wrong now.
func (s *stepper) offset() int64 {
	return []int64{0, 3600, -3600, 1800}[time.Since(s.began).Milliseconds()/70%4]
}

// run starts a process, and traces it and what it starts to its end.
func (s *stepper) run(p *process) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // it is the tracer, and ends with this
		p.cmd.SysProcAttr.Ptrace = true
		p.cmd.WaitDelay = 0
		err := p.cmd.Start()
		if err == nil {
			err = s.trace(p)
		}
		failed <- err
	}()
	return <-failed
}

func (s *stepper) trace(p *process) error {
	pid := p.cmd.Process.Pid
	defer func() {
		p.signal(unix.SIGKILL)
		p.cmd.Wait() // its output is complete; the status is had below
	}()
	var ws unix.WaitStatus
	if _, err := unix.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		return fmt.Errorf("it does not begin: %v, %x", err, ws)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACEEXIT
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return err
	}
	if err := withoutVDSO(pid); err != nil {
		return err
	}
	unix.PtraceSyscall(pid, 0)
	known := map[int]bool{pid: true}
	for {
		tid, err := unix.Wait4(-pid, &ws, unix.WALL|unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case tid == 0:
			if time.Since(s.began) > 2*deadline*p.more {
				s.late = true
				return nil
			}
			time.Sleep(50 * time.Microsecond)
			continue
		case ws.Exited() || ws.Signaled():
			if tid == pid {
				p.ended = &ws
				return nil
			}
			continue
		}
		deliver := 0
		switch sig := ws.StopSignal(); {
		case sig == unix.SIGTRAP|0x80:
			s.atCall(tid)
		case sig == unix.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_EXEC:
			withoutVDSO(tid)
		case sig == unix.SIGTRAP:
		case sig == unix.SIGSTOP && !known[tid]: // a new thread
		default:
			deliver = int(sig)
		}
		known[tid] = true
		unix.PtraceSyscall(tid, deliver)
	}
}

// atCall changes what clock_gettime(CLOCK_REALTIME) has answered.
func (s *stepper) atCall(tid int) {
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(tid, &regs) != nil || regs.Orig_rax != unix.SYS_CLOCK_GETTIME || regs.Rdi != unix.CLOCK_REALTIME || regs.Rax != 0 {
		return
	}
	var sec [8]byte
	if _, err := unix.PtracePeekData(tid, uintptr(regs.Rsi), sec[:]); err != nil {
		return
	}
	binary.NativeEndian.PutUint64(sec[:], uint64(int64(binary.NativeEndian.Uint64(sec[:]))+s.offset()))
	if _, err := unix.PtracePokeData(tid, uintptr(regs.Rsi), sec[:]); err == nil {
		s.changed++
	}
}

// withoutVDSO takes the vDSO out of the auxiliary vector of a program that begins (getauxval(3)): it makes system calls
// in its place.
func withoutVDSO(pid int) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return err
	}
	at, word := uintptr(regs.Rsp), make([]byte, 8)
	next := func() uint64 {
		unix.PtracePeekData(pid, at, word)
		at += 8
		return binary.NativeEndian.Uint64(word)
	}
	for argc := next(); argc > 0; argc-- {
		next()
	}
	next()
	for next() != 0 { // the environment
	}
	for {
		const atNull, atIgnore, atSysinfoEhdr = 0, 1, 33
		switch kind := next(); kind {
		case atNull:
			return fmt.Errorf("there is no vDSO")
		case atSysinfoEhdr:
			binary.NativeEndian.PutUint64(word, atIgnore)
			_, err := unix.PtracePokeData(pid, at-8, word)
			return err
		}
		next()
	}
}
