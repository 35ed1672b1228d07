package stage

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// What a lesson expects is what Linux does as it comes. A host may be set up in another way, and then an expectation
// that was not met is true and yet hard to understand.

// setting is a sysctl that lessons depend on.
type setting struct {
	name  string
	usual func(value string) bool
	says  string // what it does if it is not as usual
}

// settings are those of which it is known that a lesson fails if they are not as usual.
var settings = []setting{
	{"net.ipv4.tcp_max_tw_buckets", atLeast(256), "no more connections than that are kept in TIME-WAIT, or in FIN-WAIT-2 when closed"},
	{"net.ipv4.tcp_syncookies", oneOfThese("0", "1"), "SYN cookies for all: there is no SYN-RECEIVED"},
	{"net.ipv4.tcp_ecn", oneOfThese("0", "2"), "a SYN offers explicit congestion notification"},
	{"net.ipv4.tcp_syn_retries", atLeast(3), "how often a SYN is sent again before connect() gives up"},
	{"net.ipv4.tcp_synack_retries", atLeast(3), "how often a SYN-ACK is sent again"},
	{"net.ipv4.tcp_abort_on_overflow", oneOfThese("0"), "a full accept queue resets"},
	{"net.ipv4.tcp_stdurg", oneOfThese("0"), "where the urgent mark is"},
	{"net.ipv4.ip_local_port_range", portsAtLeast(256), "so few ports are there for connections"},
	{"net.core.somaxconn", atLeast(64), "the most that a backlog can be"},
}

func atLeast(n int) func(string) bool {
	return func(value string) bool { i, err := strconv.Atoi(value); return err != nil || i >= n }
}

func oneOfThese(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, value) }
}

func portsAtLeast(n int) func(string) bool {
	return func(value string) bool {
		bounds := strings.Fields(value)
		if len(bounds) != 2 {
			return true
		}
		lo, _ := strconv.Atoi(bounds[0])
		hi, _ := strconv.Atoi(bounds[1])
		return hi-lo+1 >= n
	}
}

// nameSysctls names those that are not as usual, for the reader of a run that has failed. Whether that is why, only the
// reader can tell.
func (r *run) nameSysctls(side timeline.Side) {
	for _, s := range settings {
		text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(s.name, ".", "/"))
		value := strings.Join(strings.Fields(string(text)), " ")
		if err != nil || s.usual(value) {
			continue
		}
		r.log.Add(side, time.Time{}, &timeline.Note{Text: s.name + " is " + value + " here, which is not usual, and may be why (" + s.says + ")"})
	}
}
