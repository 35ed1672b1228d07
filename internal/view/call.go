package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

// slow is how long a call that does not wait for the other side has to be in the kernel for that to be worth a word.
const slow = timeline.BlockAfter

// longArgument is one that leaves no room beside it, in a lane of 80 columns.
const longArgument = 25

// callText is a system call in strace's notation, shortened: addresses instead of structs, no lengths of values.
//
//	connect(6, 127.0.0.1:7007) = 0    accept4(5) = 7 from 127.0.0.1:40112    read(7) = 0 end of stream
func callText(c *timeline.Call) text {
	shown, came := c.Args, ""
	waits := c.Split // its two rows say how long it took
	if c.Sys != nil {
		shown, came = shorten(c.Sys), cameOf(c.Sys)
		waits = waits || receives(c.Sys)
	}
	if c.Split {
		shown = returned(c, shown)
	}
	var args []string // of its own: the event is other sinks' too
	for _, a := range shown {
		args = append(args, argument(a))
	}
	equals := glued(" = ")
	if c.Errno != "" || len(args) > 0 && len(args[len(args)-1]) > longArgument {
		equals = " " + glued("= ") // all of it may be too long for the line
	}
	t := text(nil).add(plain, verbatim(c.Call)+"("+strings.Join(args, ", ")+")"+equals)
	t = t.join("", result(c))
	if came != "" {
		t = t.add(plain, " "+glued(came))
	}
	if took := micros(c.TookUS); took >= slow && (c.Errno != "" || !waits) {
		t = t.add(dim, " "+glued("took "+span(took)))
	}
	return t
}

// enterText is a call that has entered the kernel: connect(6, 127.0.0.1:7007)
func enterText(c *timeline.Enter) text {
	shown := c.Args
	if c.Sys != nil && c.Call != "getsockopt" {
		shown = shorten(c.Sys)
	}
	var args []string
	for _, a := range shown {
		args = append(args, argument(a))
	}
	return text(nil).add(plain, verbatim(c.Call)+"("+strings.Join(args, ", ")+")")
}

// returned are the arguments worth showing where a call returned, when those that were passed in stand above: which
// descriptor it was about, and what the kernel has written back.
func returned(c *timeline.Call, all []string) []string {
	switch c.Call {
	case "read", "recvfrom", "accept4", "getsockopt", "getsockname", "getpeername", "ioctl", "ppoll":
		return all
	case "socket":
		return nil
	}
	return all[:min(1, len(all))]
}

// receives says whether a call takes what the other side has sent, or waits for it.
func receives(c *sockapi.Call) bool {
	return c.Name == "accept4" || c.Name == "read" || c.Name == "recvfrom"
}

// cameOf is what stands behind the result of a call that succeeded.
func cameOf(c *sockapi.Call) string {
	switch {
	case c.Errno != 0 || !receives(c):
		return ""
	case c.Name == "accept4":
		return "from " + verbatim(c.Addr.String())
	case c.Ret == 0 && c.Len > 0:
		return "end of stream"
	}
	return ""
}

// result is what the call returned, with the error's name.
func result(c *timeline.Call) text {
	ret := strconv.Itoa(c.Ret)
	if c.Errno == "" {
		return text(nil).add(plain, ret)
	}
	return text(nil).add(strong, ret+string(nbsp)+verbatim(c.Errno))
}

// shorten leaves out the arguments that say nothing new, and writes the others as one would say them.
func shorten(c *sockapi.Call) []string {
	fd := strconv.Itoa(c.FD)
	switch c.Name {
	case "read", "write", "recvfrom", "sendto":
		return transfer(fd, c)
	case "accept4": // the address is shown with the result; SOCK_CLOEXEC, which every socket here has, is not shown alone
		if c.Flags&^unix.SOCK_CLOEXEC != 0 {
			return []string{fd, c.FlagNames()}
		}
		return []string{fd}
	case "getsockopt", "setsockopt":
		return []string{fd, c.Option.Name, optionValue(c)}
	case "bind", "connect", "getsockname", "getpeername":
		if c.Addr.IsValid() {
			return []string{fd, c.Addr.String()}
		}
	}
	return c.Args()
}

// transfer are the arguments of a read or a write: the data while it is short enough for strace to print it whole, else
// how much; nothing of a read that gave none.
func transfer(fd string, c *sockapi.Call) []string {
	args := []string{fd}
	n := c.Len
	if receives(c) {
		n = max(0, c.Ret)
	}
	if data, whole := c.Data(); !whole {
		args = append(args, strconv.Itoa(n)+" bytes")
	} else if n > 0 || !receives(c) {
		args = append(args, data)
	}
	if c.Flags != 0 {
		args = append(args, c.FlagNames())
	}
	return args
}

// optionValue shortens the structs among the values of options, and of bytes too many to print says how many they are;
// integers stay in strace's brackets.
func optionValue(c *sockapi.Call) string {
	switch v := c.Value.(type) {
	case []unix.SockFilter:
		return "{" + plural(len(v), "instruction") + "}"
	case sockapi.Linger:
		if v.OnOff {
			return fmt.Sprintf("{on, %d s}", v.Seconds)
		}
		return fmt.Sprintf("{off, %d s}", v.Seconds)
	case time.Duration:
		if name := c.Option.Name; name == "SO_RCVTIMEO" || name == "SO_SNDTIMEO" {
			return "{" + strconv.FormatFloat(v.Seconds(), 'f', -1, 64) + " s}"
		}
	case []byte:
		if n := c.LenBack; n > len(v) {
			return strconv.Itoa(n) + " bytes"
		}
	}
	return c.OptionValue()
}

// argument keeps data and short structs in one piece; long structs and sets of flags may go on in the next line.
func argument(a string) string {
	a = verbatim(a)
	if strings.HasPrefix(a, `"`) || len(a) <= 16 {
		return glued(a)
	}
	return strings.ReplaceAll(a, "|", "|"+string(zwsp))
}

// span is a duration as a reader takes it in: 203 ms, 59.9 s, 7200 s.
func span(d time.Duration) string {
	switch {
	case d >= 100*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 0, 64) + " s"
	case d >= time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}

func micros(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }
