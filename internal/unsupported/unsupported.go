// Package unsupported has the one error for what this kernel, or this user, cannot do.
package unsupported

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Error is what is missing, and how to get it.
type Error struct {
	What string
	How  string
	Err  error // what the kernel said, if it was asked
}

// New makes one; err may be nil.
func New(what, how string, err error) *Error { return &Error{what, how, err} }

func (e *Error) Error() string { return e.What + ": " + e.How }
func (e *Error) Unwrap() error { return e.Err }

// In finds the Error in err, nil where there is none. tcpinfo and sockapi, which import nothing of this project, have
// errors of their own that mean one.
func In(err error) *Error {
	var e *Error
	var diag *tcpinfo.Error
	var call *sockapi.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &diag) && (errors.Is(diag, tcpinfo.ErrNotSupported) || errors.Is(diag, tcpinfo.ErrPermission)):
		return New(diag.Op+" cannot be done here", diag.Detail, err)
	case errors.As(err, &call) && call.Call == "bind" && call.Errno == unix.EACCES:
		return New(call.Error(), "ports below net.ipv4.ip_unprivileged_port_start need root or CAP_NET_BIND_SERVICE", err)
	case errors.As(err, &call) && call.Call == "socket" && call.Errno == unix.EAFNOSUPPORT:
		return New(call.Error(), "this kernel has no IPv6: it was started with ipv6.disable=1, or built without CONFIG_IPV6", err)
	case errors.As(err, &call) && call.Errno == unix.EADDRNOTAVAIL && call.Addr.Addr().Is6() && ipv6Off():
		return New(call.Error(), "IPv6 is switched off on this host: sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0", err)
	}
	return nil
}

// ipv6Off tells whether no interface may have an IPv6 address, or loopback may not.
func ipv6Off() bool {
	for _, of := range []string{"all", "lo"} {
		if b, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + of + "/disable_ipv6"); err == nil && strings.TrimSpace(string(b)) == "1" {
			return true
		}
	}
	return false
}
