package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// slow is how long a call that does not wait for the other side has to be in the kernel for that to be worth a word.
const slow = timeline.Patience

// longArgument is one that leaves no room beside it, in a lane of 80 columns.
const longArgument = 25

// callText is a system call in strace's notation, shortened: addresses instead of structs, no lengths of values.
//
//	connect(6, 127.0.0.1:7007) = 0    accept4(5) = 7 from 127.0.0.1:40112    read(7) = 0 end of stream
func callText(c *timeline.Call) text {
	var args []string // of its own: the event is other sinks' too
	for _, a := range shorten(c) {
		args = append(args, argument(a))
	}
	equals := glued(" = ")
	if c.Errno != "" || len(args) > 0 && len(args[len(args)-1]) > longArgument {
		equals = " " + glued("= ") // all of it may be too long for the line
	}
	t := text(nil).add(plain, verbatim(c.Call)+"("+strings.Join(args, ", ")+")"+equals)
	t = t.join("", result(c))
	switch {
	case c.Errno == "" && accepts(c) && c.Addr.IsValid():
		t = t.add(plain, " "+glued("from "+verbatim(c.Addr.String())))
	case c.Errno == "" && c.Ret == 0 && reads(c) && count(c) != "0":
		t = t.add(plain, " "+glued("end of stream"))
	}
	if took := micros(c.TookUS); took >= slow && (c.Errno != "" || !reads(c) && !accepts(c)) {
		t = t.add(dim, " "+glued("took "+span(took)))
	}
	return t
}

func accepts(c *timeline.Call) bool { return c.Call == "accept" || c.Call == "accept4" }
func reads(c *timeline.Call) bool {
	return c.Call == "read" || c.Call == "recv" || c.Call == "recvfrom"
}
func writes(c *timeline.Call) bool {
	return c.Call == "write" || c.Call == "send" || c.Call == "sendto"
}

// result is what the call returned, with the error's name.
func result(c *timeline.Call) text {
	ret := strconv.Itoa(c.Ret)
	if c.Errno == "" {
		return text(nil).add(plain, ret)
	}
	return text(nil).add(strong, ret+string(glue)+verbatim(c.Errno))
}

// shorten leaves out the arguments that say nothing new, and writes the others as a reader would.
func shorten(c *timeline.Call) []string {
	switch {
	case reads(c) || writes(c):
		return transfer(c)
	case accepts(c):
		return acceptArgs(c)
	case strings.HasSuffix(c.Call, "sockopt") && len(c.Args) == 5:
		return []string{c.Args[0], c.Args[2], optionValue(c.Args[3], c.Args[4])}
	}
	for i, a := range c.Args {
		if strings.HasPrefix(a, "{sa_family=") && c.Addr.IsValid() {
			args := append(c.Args[:i:i], c.Addr.String())
			if i+2 == len(c.Args) { // what follows is its length
				return args
			}
			return append(args, c.Args[i+1:]...)
		}
	}
	return c.Args
}

// acceptArgs are the listener, and flags other than SOCK_CLOEXEC, which every socket here has. The address is shown with the result.
func acceptArgs(c *timeline.Call) []string {
	if len(c.Args) == 4 && c.Args[3] != "0" && c.Args[3] != "SOCK_CLOEXEC" {
		return []string{c.Args[0], c.Args[3]}
	}
	return c.Args[:min(1, len(c.Args))]
}

// transfer are the arguments of a read or a write: the data while it is short enough for strace to print it whole, else how much.
func transfer(c *timeline.Call) []string {
	if len(c.Args) < 3 {
		return c.Args
	}
	args := c.Args[:1:1]
	data := c.Args[1]
	switch {
	case strings.HasSuffix(data, "..."):
		n := count(c)
		if reads(c) {
			n = strconv.Itoa(c.Ret)
		}
		args = append(args, n+" bytes")
	case strings.HasPrefix(data, `"`) && !(reads(c) && c.Ret <= 0):
		args = append(args, data)
	}
	if len(c.Args) > 3 && c.Args[3] != "0" {
		args = append(args, c.Args[3])
	}
	return args
}

// count is how much a read or a write asked for.
func count(c *timeline.Call) string {
	if len(c.Args) < 3 {
		return ""
	}
	return c.Args[2]
}

var (
	linger  = regexp.MustCompile(`^\{l_onoff=(\d+), l_linger=(-?\d+)\}$`)
	timeval = regexp.MustCompile(`^\{tv_sec=(\d+), tv_usec=(\d{1,6})\}$`)
)

// optionValue shortens the two structs among the values of options, and of bytes too many to print says how many they are; integers stay in strace's
// brackets.
func optionValue(v, length string) string {
	if strings.HasPrefix(v, `"`) && strings.HasSuffix(v, "...") {
		length = strings.Trim(length, "[]")
		return length[strings.LastIndexByte(length, ' ')+1:] + " bytes" // of [512 => 60] the kernel wrote 60
	}
	if m := linger.FindStringSubmatch(v); m != nil {
		on := "on"
		if m[1] == "0" {
			on = "off"
		}
		return "{" + on + ", " + m[2] + " s}"
	}
	if m := timeval.FindStringSubmatch(v); m != nil {
		fraction := strings.TrimRight(fmt.Sprintf("%06s", m[2]), "0")
		return "{" + strings.TrimSuffix(m[1]+"."+fraction, ".") + " s}"
	}
	return v
}

// argument keeps data and short structs in one piece; long structs and sets of flags may go on in the next line.
func argument(a string) string {
	a = verbatim(a)
	if strings.HasPrefix(a, `"`) || len(a) <= 16 {
		return glued(a)
	}
	return strings.ReplaceAll(a, "|", "|"+string(mayEnd))
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
