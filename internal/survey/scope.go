package survey

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/diagnose"
	"socklife/tcpinfo"
)

// scope is what the looks have found, for those who see sockets between two looks, and know them by their addresses.
type scope struct {
	mu          sync.Mutex
	at          time.Time // of the last
	last, prior *scene
}

func (s *scope) found(now *scene, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.last, s.prior = at, now, s.last
}

// find is the socket that the last looks have found with these ends; nil: none.
func (s *scope) find(local, remote netip.AddrPort) *diagnose.Facts {
	for _, scene := range []*scene{s.last, s.prior} {
		if scene == nil {
			continue
		}
		if remote.Port() != 0 {
			if f := scene.ends[ends{tcpinfo.Canonical(local), tcpinfo.Canonical(remote)}]; f != nil {
				return f
			}
			continue
		}
		for _, l := range scene.listeners[local.Port()] {
			if l.Local.Addr() == local.Addr() {
				return l
			}
		}
	}
	return nil
}

// Ports are those that a watched socket has at either end; 0 stands for all.
func (s *Survey) Ports() (list []uint16) {
	for _, t := range s.cfg.Targets {
		list = append(list, t.Addr.Port())
	}
	return list
}

// Has says whether a socket with these ends is one of those that are watched. Caller is the thread that has called
// connect() or listen(), by which a process's own socket is known before any look; 0 where that is not known.
func (s *Survey) Has(local, remote netip.AddrPort, caller int) bool {
	s.scope.mu.Lock()
	defer s.scope.mu.Unlock()
	listens := remote.Port() == 0
	return slices.ContainsFunc(s.cfg.Targets, func(t Target) bool {
		if t.PID == 0 {
			return t.at(local, remote, listens)
		}
		if caller != 0 && inFirstPIDs() && ofProcess(caller, t.PID) {
			return true
		}
		if f := s.scope.find(local, remote); f != nil {
			return t.fits(f)
		}
		return s.scope.last != nil && t.owns(s.scope.last.listener(stranger(local, remote)))
	})
}

// stranger is a socket of which the addresses are known, and nothing else.
func stranger(local, remote netip.AddrPort) *diagnose.Facts {
	f := &diagnose.Facts{}
	f.Local, f.Remote, f.Family = local, remote, unix.AF_INET6
	if local.Addr().Is4() {
		f.Family = unix.AF_INET
	}
	return f
}

// owns says whether a listener is the process's.
func (t Target) owns(l *diagnose.Facts) bool { return l != nil && t.fits(l) }

// Tells says whether a transition is told: one into, or out of, a state that was asked for.
func (s *Survey) Tells(from, to tcpinfo.State) bool {
	return s.cfg.States.Has(from) || s.cfg.States.Has(to)
}

// Was is the cookie of the socket that the last looks have found with these ends, 0 if none, and since when it has been
// in its state.
func (s *Survey) Was(local, remote netip.AddrPort) (cookie uint64, since time.Time) {
	s.scope.mu.Lock()
	defer s.scope.mu.Unlock()
	if f := s.scope.find(local, remote); f != nil {
		return f.Cookie, s.scope.at.Add(-f.For)
	}
	return 0, since
}

// Serves says whether the socket with these ends came in through a listener, as far as the last look shows: of one that
// is not there any more, too.
func (s *Survey) Serves(local, remote netip.AddrPort) (serves, known bool) {
	s.scope.mu.Lock()
	defer s.scope.mu.Unlock()
	if s.scope.last == nil {
		return false, false
	}
	mine, other := s.scope.last.server(stranger(local, remote)), s.scope.last.server(stranger(remote, local))
	return mine, mine != other
}

// Alone says whether all processes of this machine are seen, and are in one network namespace: then a socket that is
// gone was in it.
func (s *Survey) Alone() bool {
	if !inFirstPIDs() || s.netns == "" {
		return false
	}
	list, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, e := range list {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		if its, err := os.Readlink("/proc/" + e.Name() + "/ns/net"); err == nil && its != s.netns || os.IsPermission(err) {
			return false
		}
	}
	return true
}

// firstPIDs is the PID namespace that a machine begins with: PROC_PID_INIT_INO of include/linux/proc_ns.h.
const firstPIDs = "pid:[4026531836]"

// inFirstPIDs says whether this process is in it: there all processes are seen, by the numbers that the kernel's
// tracepoints have.
var inFirstPIDs = sync.OnceValue(func() bool {
	own, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && own == firstPIDs
})

// ofProcess says whether a thread is one of a process's.
func ofProcess(thread, pid int) bool {
	if thread == pid {
		return true
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", pid, thread))
	return err == nil
}
