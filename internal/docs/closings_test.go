package docs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// ending is one way to end a connection, or not to.
type ending struct {
	does     string   // what the application does
	wire     string   // the FINs and RSTs, seen from whoever begins: → is from there
	peer     []string // what the other end's calls give, in their order
	peerSays string
	waits    string // who is in TIME-WAIT
	scenario string
	nth      int    // which of the run's connections
	before   string // only what comes before this call
}

const (
	readsEnd   = "`read()` 0"
	readsReset = "`read()` ECONNRESET"
	writesPipe = "`write()` EPIPE"
)

var endings = []ending{
	{"`close()`", "FIN → · ← FIN", []string{readsEnd}, "after all the data", "here", "close", 0, ""},
	{"`close()`, by the server", "FIN → · ← FIN", []string{readsEnd}, "the same, with the roles changed", "here", "server-close", 0, ""},
	{"`shutdown(SHUT_WR)`, read on, `close()`", "FIN → · ← FIN", []string{readsEnd}, "after all the data; it can still send, and we read it", "here", "half-close", 0, ""},
	{"`close()` of one of two descriptors", "nothing", nil, "it waits on", "nobody", "shutdown-vs-close", 0, "shutdown"},
	{"`close()`, with data not yet sent", "FIN → · ← FIN", []string{readsEnd}, "after all the data: the kernel goes on sending", "here", "linger-off", 0, ""},
	{"`close()` with SO_LINGER {1, n}", "FIN → · ← FIN", []string{readsEnd}, "the same; `close()` waits for the ACKs, n s at most", "here", "linger-wait", 0, ""},
	{"`close()` with SO_LINGER {1, 0}", "RST →", []string{readsReset, writesPipe}, "what we had not sent is thrown away", "nobody", "linger-reset", 0, ""},
	{"`close()`, with data not read", "RST →", []string{readsReset, readsEnd, writesPipe}, "the error once, then the end", "nobody", "unread-data-reset", 0, ""},
	{"`close()`, and the peer writes after it", "FIN → · RST →", []string{readsEnd, writesPipe, readsEnd}, "its first `write()` succeeds and is answered with RST; the second fails", "nobody", "write-after-close", 0, ""},
	{"both `shutdown(SHUT_WR)` at once", "FIN → · ← FIN", []string{readsEnd}, "the same at both ends", "both ends", "simultaneous-close", 0, ""},
	{"`shutdown(SHUT_RD)`", "nothing", nil, "it notices nothing, and its data is taken", "nobody", "shutdown-read", 1, "close"},
}

// closingsTable is the matrix.
func closingsTable(*testing.T) string {
	var rows [][]string
	for _, c := range endings {
		peer := strings.Join(append(slices.Clone(c.peer), c.peerSays), "; ")
		rows = append(rows, []string{c.does, strings.ReplaceAll(c.wire, " ", "\u00a0"), peer, c.waits, fmt.Sprintf("[%s](scenarios/%[1]s.md)", c.scenario)})
	}
	return markdown([]string{"what is called here", "what goes on the wire", "what the peer's calls give", "TIME-WAIT", "seen in"}, rows)
}

// Each row of the matrix is what a run on the wire does.
func TestTheClosingsAreRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("plays each")
	}
	for _, c := range endings {
		t.Run(c.scenario, func(t *testing.T) {
			beside(t)
			why := ""
			for range attempts { // a look may come too late for a state
				got := endingOf(t, eventsOf(t, onTheWire(t, "--wire "+c.scenario)), c)
				if got.wire == c.wire && slices.Equal(got.peer, c.peer) && got.waits == c.waits {
					return
				}
				why = fmt.Sprintf("a run has %q, %q, TIME-WAIT %s; the table %q, %q, %s", got.wire, got.peer, got.waits, c.wire, c.peer, c.waits)
			}
			t.Error(why)
		})
	}
}

// endingOf is how a connection of a run ended.
func endingOf(t *testing.T, events []event, want ending) (got ending) {
	t.Helper()
	client := portOfNth(events, want.nth)
	sockets := map[int]bool{}
	for _, e := range events {
		if e.Kind == "state" && e.Remote != "" && (hasPort(e.Local, client) || hasPort(e.Remote, client)) {
			sockets[e.Socket] = true
		}
	}
	var closer string
	var wire, waits []string
	seen := map[string]bool{}
	for _, e := range events {
		if e.Call == want.before && len(wire) == 0 && sockets[e.Socket] && want.before != "" && want.before != "shutdown" || e.Call == "shutdown" && want.before == "shutdown" {
			break
		}
		switch {
		case e.Kind == "segment" && (hasPort(e.Source, client) || hasPort(e.Dest, client)):
			for _, flag := range []string{"FIN", "RST"} {
				if !slices.Contains(e.Flags, flag) || seen[e.Sender+flag] {
					continue
				}
				seen[e.Sender+flag] = true
				if closer == "" {
					closer = e.Sender
				}
				if e.Sender == closer {
					wire = append(wire, flag+" →")
				} else {
					wire = append(wire, "← "+flag)
				}
			}
		case e.Kind == "state" && sockets[e.Socket] && e.To == "TIME-WAIT" && !slices.Contains(waits, e.Side):
			waits = append(waits, e.Side)
		case e.Kind == "call" && sockets[e.Socket] && closer != "" && e.Side != closer:
			switch {
			case e.Call == "read" && e.Errno == "" && *e.Ret == 0:
				got.peer = append(got.peer, readsEnd)
			case e.Call == "read" && e.Errno == "ECONNRESET":
				got.peer = append(got.peer, readsReset)
			case e.Call == "write" && e.Errno == "EPIPE":
				got.peer = append(got.peer, writesPipe)
			}
		}
	}
	got.wire, got.waits = "nothing", "nobody"
	if len(wire) > 0 {
		got.wire = strings.Join(wire, " · ")
	}
	switch {
	case len(waits) == 2:
		got.waits = "both ends"
	case len(waits) == 1 && waits[0] == closer:
		got.waits = "here"
	case len(waits) == 1:
		got.waits = "at the peer"
	}
	return got
}

// portOfNth is the client's port of a connection.
func portOfNth(events []event, nth int) string {
	var ports []string
	for _, e := range events {
		if e.Kind == "segment" && slices.Equal(e.Flags, []string{"SYN"}) {
			port := e.Source[strings.LastIndexByte(e.Source, ':')+1:]
			if !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	if nth >= len(ports) {
		return "none"
	}
	return ports[nth]
}

func hasPort(addr, port string) bool { return strings.HasSuffix(addr, ":"+port) }
