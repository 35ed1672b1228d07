package view

import (
	"strconv"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// slow is how long a call that does not wait for the other side has to be in the kernel for that to be worth a word.
const slow = timeline.BlockAfter

// longArgument is one that leaves no room beside it, in a lane of 80 columns.
const longArgument = 25

// callText is a system call in strace's notation, shortened: addresses instead of structs, no lengths of values.
//
//	connect(6, 127.0.0.1:7007) = 0    accept4(5) = 7 from 127.0.0.1:40112    read(7) = 0 end of stream
func callText(c *timeline.Call) text {
	shown, came := shorten(c.Call, c.FD, c.Arguments(), c.Ret), cameOf(c)
	waits := c.Split || receives(c.Call) // its two rows say how long it took
	if c.Split {
		shown = returned(c, shown)
	}
	says, last := callWith(c.Call, shown)
	equals := glued(" = ")
	if c.Errno != "" || last > longArgument {
		equals = " " + glued("= ") // all of it may be too long for the line
	}
	t := text(nil).add(plain, says+equals).join("", result(c))
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
	says, _ := callWith(c.Call, shorten(c.Call, c.FD, c.Arguments(), 0))
	return text(nil).add(plain, says)
}

// callWith is a call with these arguments, and how long the last of them is.
func callWith(call string, shown []string) (says string, last int) {
	var args []string // of its own: the event is other sinks' too
	for _, a := range shown {
		args = append(args, argument(a))
		last = len(args[len(args)-1])
	}
	return verbatim(call) + "(" + strings.Join(args, ", ") + ")", last
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
	return []string{strconv.Itoa(c.FD)}
}

// receives says whether a call takes what the other side has sent, or waits for it.
func receives(call string) bool {
	return call == "accept4" || call == "read" || call == "recvfrom"
}

// cameOf is what stands behind the result of a call that succeeded.
func cameOf(c *timeline.Call) string {
	switch {
	case c.Errno != "" || !receives(c.Call):
		return ""
	case c.Call == "accept4":
		if from := c.Arguments().Address(); from.IsValid() {
			return "from " + verbatim(from.String())
		}
	case c.Ret == 0 && c.Arguments().Len() > 0:
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
