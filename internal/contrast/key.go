package contrast

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// key is what an event is compared by: what is the same in every run of the same lesson. It is "" of what is not
// compared: times, queues, and that another timer runs.
func key(b timeline.Body) string {
	switch b := b.(type) {
	case *timeline.Call:
		return callKey(b)
	case *timeline.State:
		return stateKey(b)
	case *timeline.Segment:
		return segmentKey(b)
	case *timeline.Counter:
		return "counter " + b.Name
	case *timeline.Check:
		return fmt.Sprintf("check %s %v", without(b.Expect), b.OK)
	case *timeline.Note:
		return "note " + without(b.Text)
	case *timeline.Summary:
		return fmt.Sprintf("summary %v", b.OK)
	}
	return ""
}

var varies = regexp.MustCompile(`\d[\d.:]*`) // ports, addresses, times, numbers that the kernel chose

// without is a sentence without its numbers.
func without(text string) string { return varies.ReplaceAllString(text, "N") }

// newDescriptor are the calls that return one.
var newDescriptor = []string{"socket", "accept4", "dup"}

// moves are the calls that take data in as many pieces as come: how much in all is compared, and not the pieces.
var moves = []string{"read", "recvfrom", "write", "sendto"}

// bulky is from how many bytes on.
const bulky = 1024

// callKey is a call without what another run has otherwise.
func callKey(b *timeline.Call) string {
	if b.Ret >= bulky && slices.Contains(moves, b.Call) {
		return ""
	}
	words := append([]string{"call", b.Call}, b.Arguments().Lasting()...)
	switch {
	case b.Errno != "":
		words = append(words, b.Errno)
	case !slices.Contains(newDescriptor, b.Call):
		words = append(words, fmt.Sprint(b.Ret))
	}
	return strings.Join(words, " ")
}

// stateKey is a new state, and how a connection ended; or that something was sent again.
func stateKey(b *timeline.State) string {
	switch {
	case b.From != b.To:
		cut := b.How.Aborted() || b.To == tcpinfo.Closed && (b.From == tcpinfo.Established || b.From == tcpinfo.SynReceived)
		return fmt.Sprintf("state %s %v", b.To, cut)
	case b.Retrans != nil && *b.Retrans > 0:
		return fmt.Sprintf("again %s %s %d", b.To, b.Timer, *b.Retrans)
	}
	return ""
}

// segmentKey is a segment that means something: acknowledgements alone come when they come.
func segmentKey(b *timeline.Segment) string {
	if len(b.Flags) == 1 && b.Flags[0] == "ACK" && b.Len == 0 && (b.Fate == "" || b.Fate == "delivered") {
		return ""
	}
	return fmt.Sprintf("segment %s %v len=%d %s", b.From, b.Flags, b.Len, b.Fate)
}
