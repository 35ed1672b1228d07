package view

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"socklife/internal/timeline"
)

// shorten leaves out the arguments that say nothing new, and writes the others as one would say them. It has nothing
// but strace's notation to go by, so that a call in a record is shown as it was when it was made.
func shorten(call string, fd int, a timeline.Arguments, ret int) []string {
	if !a.Whole() {
		return a.Written()
	}
	switch call {
	case "read", "write", "recvfrom", "sendto":
		return those(strconv.Itoa(fd), data(call, a, ret), a.Flags())
	case "accept4": // the address is shown with the result
		return those(strconv.Itoa(fd), a.Flags())
	case "getsockopt", "setsockopt":
		return those(strconv.Itoa(fd), a.Option(), optionValue(a))
	case "bind", "connect", "getsockname", "getpeername":
		if addr := a.Address(); addr.IsValid() {
			return those(strconv.Itoa(fd), addr.String())
		}
	}
	return a.Written()
}

// those are the arguments that are there.
func those(arguments ...string) []string {
	return slices.DeleteFunc(arguments, func(a string) bool { return a == "" })
}

// data is that of a read or a write while it is short enough for strace to print it whole, else how much; nothing of a
// read that gave none.
func data(call string, a timeline.Arguments, ret int) string {
	shown, whole := a.Data()
	n := a.Len()
	if receives(call) {
		n = max(0, ret)
	}
	switch {
	case !whole:
		return plural(n, "byte")
	case n == 0 && receives(call):
		return ""
	}
	return shown
}

// optionValue shortens the structs among the values of options, and of bytes too many to print says how many they are;
// integers stay in strace's brackets.
func optionValue(a timeline.Arguments) string {
	switch v := a.OptionValue().(type) {
	case timeline.Instructions:
		return "{" + plural(int(v), "instruction") + "}"
	case timeline.Linger:
		word := "on"
		if v.OnOff == 0 {
			word = "off"
		}
		return fmt.Sprintf("{%s, %d s}", word, v.Seconds)
	case time.Duration:
		return "{" + strconv.FormatFloat(v.Seconds(), 'f', -1, 64) + " s}"
	case timeline.Bytes:
		return plural(int(v), "byte")
	default:
		return fmt.Sprint(v)
	}
}
