package ladder

import (
	"strconv"

	"socklife/internal/timeline"
)

func isRead(call string) bool  { return call == "read" || call == "recvfrom" }
func isWrite(call string) bool { return call == "write" || call == "sendto" }

// tellsOfReset says whether a call failed, or SO_ERROR was read, with such an error.
func tellsOfReset(b *timeline.Call) bool {
	return timeline.TellsOfAbort(b.Errno) || timeline.TellsOfAbort(b.Arguments().SocketError())
}

// said is a call with what it returned, as a reason: read() = 19.
func said(b *timeline.Call) string {
	s := b.Call + "() = " + strconv.Itoa(b.Ret)
	if b.Errno != "" {
		s += " " + b.Errno
	}
	return s
}
