package view

import (
	"strings"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// ending says how a connection came from one look's state to CLOSED at the next, where the calls of this program tell.
func ending(b *timeline.State) passage {
	switch b.How {
	case timeline.EndedAbort:
		return passage{ended: "aborted by close(): " + b.Why}
	case timeline.EndedTold:
		return passage{ended: "aborted: " + b.Why}
	case timeline.EndedByNone:
		return passage{ended: "aborted: no call here closed it"}
	case timeline.EndedUnaccepted:
		return passage{ended: "aborted: nobody had accepted it"}
	case timeline.EndedByOther:
		return passage{ended: "aborted by the other end's close()"}
	}
	fin := b.How == timeline.EndedSent || b.How == timeline.EndedSecond
	switch {
	case fin && b.From == tcpinfo.CloseWait:
		return passage{way: "LAST-ACK"}
	case b.How == timeline.EndedSecond && b.From == tcpinfo.Established:
		return passage{way: "CLOSE-WAIT and LAST-ACK"}
	}
	return passage{}
}

// timers are what the kernel's timers will do: %s is when. One that is for something else in a state is under both.
var timers = map[string]string{
	"on":                   "retransmission or probe in %s",
	"on SYN-RECEIVED":      "SYN-ACK timer %s", // an entry that waits for data does not send it again
	"on retransmission":    "retransmission in %s",
	"on tail loss probe":   "tail loss probe in %s",
	"persist":              "zero-window probe in %s",
	"keepalive":            "keepalive probe in %s",
	"keepalive FIN-WAIT-2": "keepalive probe, or the end of FIN-WAIT-2, in %s",
	"delack":               "delayed ACK in %s",
	"timewait":             "%s left",
	"timewait TIME-WAIT":   "2MSL: %s",
	"timewait FIN-WAIT-2":  "FIN-WAIT-2 ends in %s (tcp_fin_timeout, TCP_LINGER2)",
}

// timerWords says what a timer will do, and when.
func timerWords(s symbols, b *timeline.State) string {
	for _, key := range []string{b.Timer + " " + b.TimerFor, b.Timer + " " + b.To.String(), b.Timer} {
		if says, known := timers[key]; known {
			return inTime(says, b.ExpiresMS)
		}
	}
	return inTime("timer "+s.clean(b.Timer)+" %s", b.ExpiresMS)
}

// inTime fills in when, if that is known.
func inTime(says string, ms *int64) string {
	before, after, _ := strings.Cut(says, "%s")
	if ms == nil {
		return strings.TrimSuffix(strings.TrimSuffix(before, " "), " in") + after
	}
	return before + glued(span(time.Duration(*ms)*time.Millisecond)) + after
}
