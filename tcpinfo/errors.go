package tcpinfo

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Errors that callers decide on. *Error matches them with errors.Is.
var (
	// ErrNotFound: the kernel's tables have no such socket. It is ENOENT as well.
	ErrNotFound = errors.New("no such socket in the kernel's tables")
	// ErrNotSupported: this kernel lacks something; the message names it, and the Linux or the configuration that has
	// it.
	ErrNotSupported = errors.New("not supported by this kernel")
	// ErrPermission: the caller lacks a capability; the message names it. It is EPERM as well.
	ErrPermission = errors.New("not permitted")
	// ErrInconsistent: the tables kept changing during a dump (NLM_F_DUMP_INTR), however often it was repeated.
	ErrInconsistent = errors.New("the dump is inconsistent: the tables changed meanwhile")
)

// Error is a request that the kernel refused.
type Error struct {
	Op            string         // "lookup", "dump", "destroy", "getsockopt(TCP_INFO)", …
	Local, Remote netip.AddrPort // the socket asked for, if one was
	Errno         unix.Errno
	Detail        string // what is missing, or the kernel's own words (the extended acknowledgment)
	kind          error  // one of the errors above, or nil
}

// Error is in one line: what was asked, of which socket, and what came of it.
func (e *Error) Error() string {
	s := e.Op
	if e.Local.IsValid() || e.Remote.IsValid() {
		s += fmt.Sprintf(" %v > %v", e.Local, e.Remote)
	}
	switch {
	case e.kind != nil:
		s += ": " + e.kind.Error()
	case e.Errno != 0:
		s += ": " + e.Errno.Error()
	}
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

// Unwrap gives the errno to errors.Is and errors.As.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Is matches ErrNotFound and its like.
func (e *Error) Is(target error) bool { return e.kind != nil && e.kind == target }
