package sockapi

import (
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// OptionValue shows the value of getsockopt and setsockopt: [1], {l_onoff=1, l_linger=0}. What the value means is known
// by its type, and how the kernel has it is shown: [2] of a switch that is more than on.
func (c *Call) OptionValue() string {
	n := c.Len
	if c.Name == "getsockopt" {
		if !c.wrote() || c.LenBack == 0 {
			return c.pointer()
		}
		n = min(c.LenBack, c.Len)
	}
	b := c.Buf[:min(n, len(c.Buf))]
	switch v := c.Value.(type) {
	case []byte:
		return quote(b, n)
	case []unix.SockFilter:
		filter := "NULL"
		if len(v) > 0 { // strace does not look into it, unless it is told to with -v
			filter = fmt.Sprintf("%p", v)
		}
		return fmt.Sprintf("{len=%d, filter=%s}", len(v), filter)
	case Linger:
		l := load[unix.Linger](b)
		return fmt.Sprintf("{l_onoff=%d, l_linger=%d}", l.Onoff, l.Linger)
	case uint64:
		return fmt.Sprintf("[%d]", load[uint64](b))
	case PortRange:
		return showPortRange(load[uint32](b))
	case time.Duration:
		if tv := load[timeval](b); len(b) == int(unsafe.Sizeof(tv)) {
			return fmt.Sprintf("{tv_sec=%d, tv_usec=%d}", tv.sec, tv.usec)
		}
	case unix.Errno:
		if errno := load[int32](b); errno > 0 && len(b) == 4 {
			return "[" + ErrnoName(unix.Errno(errno)) + "]"
		}
	}
	if len(b) != 4 {
		return quote(b, len(b))
	}
	return fmt.Sprintf("[%d]", load[int32](b))
}

// showPortRange shows the number with the range that it means; a bound that is 0 is left out. (strace 6.1 does not know
// the option; this is how later ones do.)
func showPortRange(n uint32) string {
	r := portRange(n)
	switch {
	case n == 0:
		return "[0]"
	case r.Lo > r.Hi && r.Hi != 0:
		return fmt.Sprintf("[%#x]", n)
	}
	bound := func(port uint16) string {
		if port == 0 {
			return ""
		}
		return strconv.Itoa(int(port))
	}
	return fmt.Sprintf("[%#x /* %s..%s */]", n, bound(r.Lo), bound(r.Hi))
}
