package ladder

import (
	"slices"
	"strconv"
	"strings"

	"socklife/internal/timeline"
)

func isRead(call string) bool  { return call == "read" || call == "recvfrom" }
func isWrite(call string) bool { return call == "write" || call == "sendto" }

// tellsOfReset says whether a call failed, or SO_ERROR was read, with such an error.
func tellsOfReset(b *timeline.Call) bool {
	return timeline.TellsOfAbort(b.Errno) || b.Call == "getsockopt" && timeline.TellsOfAbort(soError(b))
}

// soError is the error that getsockopt(SO_ERROR) gave, if any.
func soError(b *timeline.Call) string {
	if len(b.Args) < 4 || b.Args[2] != "SO_ERROR" {
		return ""
	}
	return strings.Trim(b.Args[3], "[]")
}

// asked is how many bytes a read or a write is about; 0 where that is not known.
func asked(args []string) int {
	if len(args) < 3 {
		return 0
	}
	n, _ := strconv.Atoi(args[2])
	return max(0, n)
}

// flagged says whether a recvfrom or sendto has one of these flags.
func flagged(args []string, flags ...string) bool {
	return len(args) > 3 && slices.ContainsFunc(flags, func(f string) bool { return strings.Contains(args[3], f) })
}

// said is a call with what it returned, as a reason: read() = 19.
func said(b *timeline.Call) string {
	s := b.Call + "() = " + strconv.Itoa(b.Ret)
	if b.Errno != "" {
		s += " " + b.Errno
	}
	return s
}

// ends says whether a successful call ends what its socket sends: shutdown(SHUT_WR), or close.
func endsSending(call string, args []string) bool {
	return call == "close" || call == "shutdown" && len(args) > 1 && (args[1] == "SHUT_WR" || args[1] == "SHUT_RDWR")
}
