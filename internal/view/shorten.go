package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// shorten leaves out the arguments that say nothing new, and writes the others as one would say them. It has nothing
// but strace's notation to go by, so that a call in a record is shown as it was when it was made.
func shorten(call string, args []string, ret int) []string {
	switch call {
	case "read", "write", "recvfrom", "sendto":
		if len(args) > 2 {
			return transfer(call, args, ret)
		}
	case "accept4": // the address is shown with the result; SOCK_CLOEXEC, which every socket here has, is not shown alone
		if len(args) == 4 && (args[3] == "0" || args[3] == "SOCK_CLOEXEC") {
			return args[:1]
		} else if len(args) == 4 {
			return []string{args[0], args[3]}
		}
	case "getsockopt", "setsockopt":
		if len(args) == 5 {
			return []string{args[0], args[2], optionValue(args[2], args[3], args[4])}
		}
	case "bind", "connect", "getsockname", "getpeername":
		if addr := timeline.AddressIn(args); addr.IsValid() {
			return []string{args[0], addr.String()}
		}
	}
	return args
}

// transfer are the arguments of a read or a write: the data while it is short enough for strace to print it whole, else
// how much; nothing of a read that gave none.
func transfer(call string, all []string, ret int) []string {
	args, data := all[:1:1], all[1]
	n, _ := strconv.Atoi(all[2])
	if receives(call) {
		n = max(0, ret)
	}
	if strings.HasSuffix(data, `"...`) {
		args = append(args, strconv.Itoa(n)+" bytes")
	} else if n > 0 || !receives(call) {
		args = append(args, data)
	}
	if len(all) > 3 && all[3] != "0" {
		args = append(args, all[3])
	}
	return args
}

// What strace writes of the values that can be said shorter.
var (
	lingers = regexp.MustCompile(`^\{l_onoff=(-?\d+), l_linger=(-?\d+)\}$`)
	lasts   = regexp.MustCompile(`^\{tv_sec=(\d+), tv_usec=(\d+)\}$`)
	filters = regexp.MustCompile(`^\{len=(\d+), filter=\w+\}$`)
	given   = regexp.MustCompile(`^\[(\d+)(?: => (\d+))?\]$`)
)

// optionValue shortens the structs among the values of options, and of bytes too many to print says how many they are;
// integers stay in strace's brackets.
func optionValue(option, value, length string) string {
	if m := filters.FindStringSubmatch(value); m != nil {
		n, _ := strconv.Atoi(m[1])
		return "{" + plural(n, "instruction") + "}"
	}
	if m := lingers.FindStringSubmatch(value); m != nil {
		word := "on"
		if m[1] == "0" {
			word = "off"
		}
		return fmt.Sprintf("{%s, %s s}", word, m[2])
	}
	if m := lasts.FindStringSubmatch(value); m != nil && (option == "SO_RCVTIMEO" || option == "SO_SNDTIMEO") {
		s, _ := strconv.ParseInt(m[1], 10, 32)
		us, _ := strconv.ParseInt(m[2], 10, 32)
		d := time.Duration(s)*time.Second + time.Duration(us)*time.Microsecond
		return "{" + strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s}"
	}
	if n := tooMany(value, length); n > 0 {
		return strconv.Itoa(n) + " bytes"
	}
	return value
}

// straceShows is how many bytes strace shows of a string.
const straceShows = 32

// tooMany is how many bytes the kernel gave, if the value does not have all of them; else 0.
func tooMany(value, length string) int {
	m := given.FindStringSubmatch(length)
	if m == nil || !strings.HasPrefix(value, `"`) {
		return 0
	}
	room, _ := strconv.Atoi(m[1])
	n := room
	if m[2] != "" {
		n, _ = strconv.Atoi(m[2])
	}
	if n <= min(room, straceShows) {
		return 0
	}
	return n
}
