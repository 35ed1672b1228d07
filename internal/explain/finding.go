package explain

import "strings"

// Finding is what may be said of a socket by what the kernel and /proc show of it: what echoc watch says.
type Finding struct {
	Name  string // not-closed
	Means string // one sentence: what that is
	Who   string // who must act
	Do    string // one sentence: what to do, or why nothing
	Sees  string // by what it is told, as ss(8) shows that
	Word  string // what else explains it: a state, a timer, an option
	Seen  string // the scenario that shows it
}

// Findings are all of them: what is stuck first, in the order of a connection's life.
func Findings() []Finding { return findings }

// FindFinding finds one by its name, in any case; nil: there is none.
func FindFinding(word string) *Finding {
	for i := range findings {
		if strings.EqualFold(findings[i].Name, word) {
			return &findings[i]
		}
	}
	return nil
}

const (
	theNetwork   = "the network, or the peer"
	nobodyHasTo  = "nobody"
	listenerHere = "the application here that listens"
)

var findings = []Finding{
	{Name: "accept-queue-full", Who: listenerHere, Word: "LISTEN", Seen: "backlog",
		Means: "More connections wait for accept() than the backlog, so that new SYNs are dropped and clients time out.",
		Do:    "Find out why the process does not call accept(), or not often enough; a longer backlog only makes the wait longer.",
		Sees:  "LISTEN with Recv-Q above Send-Q"},
	{Name: "accept-queue-waits", Who: listenerHere, Word: "LISTEN", Seen: "backlog",
		Means: "Connections wait in a listener's accept queue: the handshake is done, and accept() has not taken them.",
		Do:    "Nothing, if it passes; if it stays, the process is not calling accept().",
		Sees:  "LISTEN with Recv-Q above 0"},
	{Name: "not-accepted", Who: listenerHere, Word: "CLOSE-WAIT", Seen: "backlog",
		Means: "A connection, perhaps with data and a FIN in it, is still in the accept queue: no process has a descriptor of it.",
		Do:    "Look at the listener: it is its process that has to call accept(); no close() was forgotten.",
		Sees:  "ESTAB or CLOSE-WAIT with ino:0"},
	{Name: "syn-unanswered", Who: theNetwork, Word: "SYN-SENT", Seen: "connect-timeout",
		Means: "The SYN was sent again, and nobody has answered: it is lost, dropped by a firewall, or the listener's queue is full.",
		Do:    "Look at the route, the firewall, and at the listener's accept queue at the other end.",
		Sees:  "SYN-SENT with timer:(on,…,N), N above 0"},
	{Name: "handshake-unfinished", Who: theNetwork, Word: "SYN-RECEIVED", Seen: "half-open-expiry",
		Means: "A SYN was answered, and the ACK that completes the handshake has not been taken: it did not come, the accept queue is full, or TCP_DEFER_ACCEPT waits for data.",
		Do:    "A few are normal; many are a SYN flood, or a path on which answers get lost.",
		Sees:  "SYN-RECV"},
	{Name: "not-read", Who: applicationHere, Word: "ESTABLISHED", Seen: "unread-data-reset",
		Means: "Data has come and is not read; when the buffer is full the peer's sending stops.",
		Do:    "Find out what the process waits for in place of this descriptor.",
		Sees:  "ESTAB with a Recv-Q that stays above 0"},
	{Name: "peer-window-full", Who: peersApplication, Word: "persist", Seen: "fin-wait-1",
		Means: "The peer's receive window is 0, and probes ask whether there is room: its application does not read.",
		Do:    "Look at the application at the other end.",
		Sees:  "timer:(persist,…) with a Send-Q"},
	{Name: "unacknowledged", Who: theNetwork, Word: "retransmission", Seen: "dead-peer",
		Means: "Data was sent again more than once, and is not acknowledged: the peer is gone, or segments get lost.",
		Do:    "Look at the path and at the other host; after about fifteen minutes (net.ipv4.tcp_retries2) the kernel gives up with ETIMEDOUT.",
		Sees:  "timer:(on,…,N), N above 0, with a Send-Q"},
	{Name: "keepalive-unanswered", Who: theNetwork, Word: "keepalive", Seen: "dead-peer",
		Means: "Keepalive asks whether the peer is still there, and it does not answer.",
		Do:    "Nothing: if no answer comes the kernel ends the connection with ETIMEDOUT.",
		Sees:  "timer:(keepalive,…,N), N above 0"},
	{Name: "not-closed", Who: applicationHere, Word: "CLOSE-WAIT", Seen: "close-wait-leak",
		Means: "The peer has sent its FIN, and the process here that has the descriptor has not called close(); no timer will do it.",
		Do:    "Find where a read() that gives 0, or an error, leads to no close().",
		Sees:  "CLOSE-WAIT with an inode; a Recv-Q of 1 is the FIN, which was not even read"},
	{Name: "fin-unacknowledged", Who: theNetwork, Word: "FIN-WAIT-1", Seen: "lost-last-ack",
		Means: "This side has closed, and its FIN was sent again without being acknowledged.",
		Do:    "Nothing here: the kernel gives up after a while (net.ipv4.tcp_orphan_retries, if nobody has it open).",
		Sees:  "FIN-WAIT-1, CLOSING or LAST-ACK with timer:(on,…,N), N above 0"},
	{Name: "fin-behind-data", Who: peersApplication, Word: "persist", Seen: "fin-wait-1",
		Means: "This side has closed, and its FIN waits behind data for which the peer has no room: its application does not read.",
		Do:    "Look at the application at the other end.",
		Sees:  "FIN-WAIT-1, CLOSING or LAST-ACK with timer:(persist,…)"},
	{Name: "peer-not-closed", Who: peersApplication, Word: "FIN-WAIT-2", Seen: "half-close",
		Means: "This side has finished sending and the peer has not: there the connection is in CLOSE-WAIT.",
		Do:    "Look at the application at the other end; this side's process may close its descriptor, and a timer does the rest.",
		Sees:  "FIN-WAIT-2 with an inode"},
	{Name: "orphaned", Who: aTimer, Word: "FIN-WAIT-2", Seen: "fin-wait-2-orphan",
		Means: "This side has closed and the peer has not; nobody has the connection open here, and the kernel forgets it when the timer ends.",
		Do:    "Nothing; where there are many, the applications at the other ends do not close.",
		Sees:  "FIN-WAIT-2 with ino:0 and a timer"},
	{Name: "ports-used-up", Who: applicationHere, Word: "TIME-WAIT", Seen: "port-exhaustion",
		Means: "So many connections to one address are in TIME-WAIT here that few local ports are left for the next connect() to it.",
		Do:    "Keep connections open and use them again, or let the peer close first; net.ipv4.tcp_tw_reuse lets connect() take a port after a second.",
		Sees:  "TIME-WAIT, in number near net.ipv4.ip_local_port_range"},
	{Name: "buckets-used-up", Who: nobodyHasTo, Word: "TIME-WAIT", Seen: "time-wait",
		Means: "There are nearly as many connections in TIME-WAIT as net.ipv4.tcp_max_tw_buckets; beyond that they end early.",
		Do:    "Keep connections open and use them again; a higher net.ipv4.tcp_max_tw_buckets costs little memory.",
		Sees:  "TIME-WAIT, in number near net.ipv4.tcp_max_tw_buckets"},
	{Name: "connecting", Who: peersKernel, Word: "SYN-SENT", Seen: "handshake",
		Means: "The SYN is under way, and was sent once.", Do: "Nothing: the answer takes a round trip.",
		Sees: "SYN-SENT with timer:(on,…,0)"},
	{Name: "fin-in-flight", Who: peersKernel, Word: "FIN-WAIT-1", Seen: "close",
		Means: "The FIN is under way, and was sent once; or data before it is.", Do: "Nothing: the answer takes a round trip.",
		Sees: "FIN-WAIT-1, CLOSING or LAST-ACK with timer:(on,…,0)"},
	{Name: "half-closed", Who: applicationHere, Word: "CLOSE-WAIT", Seen: "half-close",
		Means: "The peer has finished sending and this side still sends, as it may.", Do: "Nothing: it is a half-close in use.",
		Sees: "CLOSE-WAIT with a Send-Q, or with data that was sent just now"},
	{Name: "in-flight", Who: peersKernel, Word: "ESTABLISHED", Seen: "handshake",
		Means: "Data was sent and its acknowledgement has not come yet, or waits for its turn.", Do: "Nothing.",
		Sees: "ESTAB with a Send-Q and timer:(on,…,0)"},
	{Name: "open", Who: eitherApplication, Word: "ESTABLISHED", Seen: "handshake",
		Means: "The connection is open, and nothing waits in either queue.", Do: "Nothing: an idle connection costs nothing; only keepalive notices a peer that is gone.",
		Sees: "ESTAB 0 0"},
	{Name: "listening", Who: peersApplication, Word: "LISTEN", Seen: "handshake",
		Means: "A listener waits for clients, and nobody waits for accept().", Do: "Nothing.",
		Sees: "LISTEN with Recv-Q 0"},
	{Name: "closed-first", Who: aTimer, Word: "TIME-WAIT", Seen: "time-wait",
		Means: "The connection is over, and this side was the one to close first; its address and port are kept for 60 s.", Do: "Nothing.",
		Sees: "TIME-WAIT"},
	{Name: "bound", Who: applicationHere, Word: "CLOSED", Seen: "reuseaddr",
		Means: "A socket has an address, and neither listens nor connects.", Do: "Nothing, unless it is in somebody's way (EADDRINUSE).",
		Sees: "not in ss before Linux 6.8; then UNCONN, with --bound-inactive"},
}
