package diagnose

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"socklife/internal/explain"
	"socklife/internal/owner"
	"socklife/tcpinfo"
)

// socket is one that python3, pid 812, has open as descriptor 7, unless a change says otherwise.
func socket(state tcpinfo.State, changes ...func(*Facts)) *Facts {
	f := &Facts{Owners: []owner.Holder{{Process: "python3", PID: 812, FD: 7}}, Root: true, Asked: true, For: time.Minute}
	f.State, f.Inode, f.UID = state, 4711, 33
	f.Local, f.Remote = netip.MustParseAddrPort("192.0.2.1:8080"), netip.MustParseAddrPort("192.0.2.9:50000")
	if state != tcpinfo.Listen && state != tcpinfo.TimeWait {
		f.Info = &tcpinfo.Info{State: state, LastDataSent: time.Hour, LastDataRecv: time.Hour, LastAckRecv: time.Minute}
		f.Shutdown = new(tcpinfo.Shutdown(0))
	}
	if state == tcpinfo.CloseWait {
		*f.Shutdown = tcpinfo.RcvShutdown
	}
	for _, change := range changes {
		change(f)
	}
	return f
}

func queues(recv, send uint32) func(*Facts) {
	return func(f *Facts) { f.RecvQ, f.SendQ = recv, send }
}

func timer(kind tcpinfo.TimerKind, expires time.Duration, n uint8) func(*Facts) {
	return func(f *Facts) { f.Timer = tcpinfo.Timer{Kind: kind, Expires: expires, Retrans: n} }
}

func unheld(f *Facts) { f.Owners, f.Inode, f.Queue = nil, 0, time.Minute }
func small(f *Facts)  { unheld(f); f.Info, f.Shutdown = nil, nil }
func justNow(f *Facts) {
	f.For, f.Queue = 10*time.Millisecond, 10*time.Millisecond
	if f.Info != nil {
		f.Info.LastDataSent, f.Info.LastDataRecv, f.Info.LastAckRecv = f.For, f.For, f.For
	}
}
func hidden(f *Facts)   { f.Owners, f.Root = nil, false }
func nowhere(f *Facts)  { f.Owners = nil }
func unasked(f *Facts)  { f.Owners, f.Asked = nil, false }
func backoff(f *Facts)  { f.Info.Backoff = 5 }
func received(f *Facts) { f.Info.DataSegsIn = 1 }
func sent(f *Facts)     { f.Info.DataSegsOut = 1 }

func other(o *Facts) func(*Facts)    { return func(f *Facts) { f.Other = o } }
func listens(l *Facts) func(*Facts)  { return func(f *Facts) { f.Listener = l } }
func reaches(l *Facts) func(*Facts)  { return func(f *Facts) { f.Reaches = l } }
func alike(n, of int) func(*Facts)   { return func(f *Facts) { f.Alike = Share{n, of} } }
func buckets(n, of int) func(*Facts) { return func(f *Facts) { f.All = Share{n, of} } }
func half(n int) func(*Facts)        { return func(f *Facts) { f.Half = n } }
func unreadFor(d time.Duration) func(*Facts) {
	return func(f *Facts) { f.Unread = d }
}
func reads(f *Facts) { f.Reads = true }
func shared(f *Facts) {
	f.Owners = append(f.Owners, owner.Holder{Process: "python3", PID: 813, FD: 7})
}
func pausing(d time.Duration) func(*Facts) {
	return func(f *Facts) { f.Info.LastDataSent = d }
}
func waits(d time.Duration) func(*Facts) {
	return func(f *Facts) { f.Waiting = d }
}

func TestOf(t *testing.T) {
	const on, persist, keepalive, timewait = tcpinfo.TimerOn, tcpinfo.TimerPersist, tcpinfo.TimerKeepalive, tcpinfo.TimerTimeWait
	full := socket(tcpinfo.Listen, queues(129, 128))
	unread := socket(tcpinfo.Established, queues(4096, 0))
	for _, c := range []struct {
		f    *Facts
		want string // grade name: sentence; detail; who
	}{
		{socket(tcpinfo.Listen, queues(0, 128)), "healthy listening: python3 (pid 812, fd 7) listens, and nobody waits for accept(); accept queue 0/128; nobody"},
		{socket(tcpinfo.Listen, queues(0, 128), half(3)), "healthy listening: python3 (pid 812, fd 7) listens, and nobody waits for accept(); accept queue 0/128, SYN queue 3; nobody"},
		{socket(tcpinfo.Listen, queues(3, 128), waits(time.Millisecond)), "waiting accept-queue-waits: python3 (pid 812, fd 7) has connections waiting for accept(); accept queue 3/128; python3 (pid 812)"},
		{socket(tcpinfo.Listen, queues(3, 128), waits(12*time.Second)), "stuck accept-queue-waits: python3 (pid 812, fd 7) is not accepting, or not fast enough: connections wait for accept(); accept queue 3/128, one has been waiting for at least 12 s; python3 (pid 812)"},
		{full, "stuck accept-queue-full: python3 (pid 812, fd 7) is not accepting, or not fast enough: the accept queue is full, new SYNs are dropped; accept queue 129/128; python3 (pid 812)"},
		{socket(tcpinfo.Listen, queues(128, 128), waits(0)), "waiting accept-queue-waits: python3 (pid 812, fd 7) has connections waiting for accept(); accept queue 128/128; python3 (pid 812)"}, // one more fits

		{socket(tcpinfo.SynSent, timer(on, time.Second, 0)), "waiting connecting: the SYN is under way; ; nobody: the peer's kernel answers"},
		{socket(tcpinfo.SynSent, timer(on, time.Second, 2)), "stuck syn-unanswered: nobody answers the SYN; sent again twice; the network, or the peer"},
		{socket(tcpinfo.SynSent, timer(on, time.Second, 1), reaches(full)), "stuck syn-unanswered: the SYN is not answered: the accept queue of python3 (pid 812) is full; sent again once, accept queue 129/128; python3 (pid 812)"},
		{socket(tcpinfo.SynReceived, small, timer(on, time.Second, 0)), "waiting handshake-unfinished: the handshake is not completed yet: its last ACK is under way, or TCP_DEFER_ACCEPT waits for data; ; the peer"},
		{socket(tcpinfo.SynReceived, small, timer(on, time.Second, 3)), "waiting handshake-unfinished: the handshake is not completed: no ACK came, or TCP_DEFER_ACCEPT waits for data; SYN-ACK sent again 3 times; the network, or the peer"},
		{socket(tcpinfo.SynReceived, small, timer(on, time.Second, 3), listens(full)), "waiting handshake-unfinished: the handshake is not completed: the accept queue of python3 (pid 812) is full; SYN-ACK sent again 3 times, accept queue 129/128; python3 (pid 812)"},

		{socket(tcpinfo.Established), "healthy open: python3 (pid 812, fd 7) has it open; nothing waits to be read or acknowledged; idle for 60 min; nobody"},
		{socket(tcpinfo.Established, justNow), "healthy open: python3 (pid 812, fd 7) has it open; nothing waits to be read or acknowledged; ; nobody"},
		{socket(tcpinfo.Established, hidden), "healthy open: a process of user 33 (root sees which) has it open; nothing waits to be read or acknowledged; idle for 60 min; nobody"},
		{socket(tcpinfo.Established, nowhere), "healthy open: a process that was not found, of user 33, has it open; nothing waits to be read or acknowledged; idle for 60 min; nobody"},
		{socket(tcpinfo.Established, unasked), "healthy open: a process that is not known yet has it open; nothing waits to be read or acknowledged; idle for 60 min; nobody"},
		{socket(tcpinfo.Established, timer(keepalive, time.Hour, 0)), "healthy open: python3 (pid 812, fd 7) has it open; nothing waits to be read or acknowledged; idle for 60 min; nobody"},
		{socket(tcpinfo.Established, timer(keepalive, 30*time.Second, 1)), "waiting keepalive-unanswered: the peer has not answered a keepalive probe yet; probed once without an answer, the next in 30 s; the network, or the peer"},
		{socket(tcpinfo.Established, timer(keepalive, 30*time.Second, 4)), "stuck keepalive-unanswered: the peer does not answer keepalive: it is gone, or segments get lost; probed 4 times without an answer, the next in 30 s; the network, or the peer"},
		{socket(tcpinfo.Established, queues(0, 500), timer(on, 200*time.Millisecond, 0)), "healthy in-flight: what was sent is under way; Send-Q 500; nobody: the peer's kernel answers"},
		{socket(tcpinfo.Established, queues(0, 500), timer(on, 400*time.Millisecond, 1)), "waiting unacknowledged: what was sent had to be sent again; Send-Q 500, sent again once, nothing heard for 60 s, next try in 400 ms; the network, or the peer"},
		{socket(tcpinfo.Established, queues(0, 500), timer(on, 6*time.Second, 5)), "stuck unacknowledged: what was sent is not acknowledged: the peer is gone, or segments get lost; Send-Q 500, sent again 5 times, nothing heard for 60 s, next try in 6 s; the network, or the peer"},
		{socket(tcpinfo.Established, queues(0, 500), timer(persist, 200*time.Millisecond, 0)), "waiting peer-window-full: the peer's window is full: its application has not read yet what came; Send-Q 500; the peer's application"},
		{socket(tcpinfo.Established, queues(0, 500), timer(persist, 6*time.Second, 1), backoff), "stuck peer-window-full: the peer's window is full: its application does not read; Send-Q 500, probed 5 times; the peer's application"},
		{socket(tcpinfo.Established, queues(0, 500), timer(persist, 6*time.Second, 1), backoff, other(unread)), "stuck peer-window-full: the peer's window is full: python3 (pid 812) does not read; Send-Q 500, probed 5 times, the peer's Recv-Q 4096; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(0, 500), timer(persist, 6*time.Second, 1), backoff, other(socket(tcpinfo.Established, unheld, queues(9, 0), listens(full)))), "stuck peer-window-full: the peer's window is full: it is still in the accept queue of python3 (pid 812); Send-Q 500, probed 5 times, the peer's Recv-Q 9; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(0, 500), timer(persist, 6*time.Second, 3), backoff), "stuck peer-window-full: the peer's window is full, and probes are not answered; Send-Q 500, probed 5 times, 3 in vain; the network, or the peer"},
		{unread, "stuck not-read: python3 (pid 812, fd 7) does not read what came; Recv-Q 4096, the last of it came 60 min ago; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(4096, 0), justNow), "healthy not-read: python3 (pid 812, fd 7) has not read yet all that came; Recv-Q 4096; nobody"},
		{socket(tcpinfo.Established, queues(4096, 0), justNow, unreadFor(3*time.Second)), "stuck not-read: python3 (pid 812, fd 7) does not read what came; Recv-Q 4096, nothing of it read for 3 s; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(4096, 0), unreadFor(3*time.Second), reads), "healthy not-read: python3 (pid 812, fd 7) has not read yet all that came; Recv-Q 4096; nobody"},
		{socket(tcpinfo.Established, queues(4096, 0), unreadFor(Pause), reads), "stuck not-read: python3 (pid 812, fd 7) does not read what came; Recv-Q 4096, the last of it came 60 min ago; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(4096, 500), timer(on, time.Second, 0)), "stuck not-read: python3 (pid 812, fd 7) does not read what came; Recv-Q 4096, the last of it came 60 min ago; python3 (pid 812)"},
		{socket(tcpinfo.Established, queues(4096, 500), timer(on, time.Second, 7)), "stuck unacknowledged: what was sent is not acknowledged: the peer is gone, or segments get lost; Send-Q 500, sent again 7 times, nothing heard for 60 s, next try in 1 s; the network, or the peer"},
		{socket(tcpinfo.Established, unheld, listens(full)), "stuck not-accepted: no descriptor leads to it: it is still in the accept queue of python3 (pid 812); accept queue 129/128; python3 (pid 812)"},
		{socket(tcpinfo.Established, unheld, justNow, listens(full)), "waiting not-accepted: no descriptor leads to it: it is still in the accept queue of python3 (pid 812); accept queue 129/128; python3 (pid 812)"},

		{socket(tcpinfo.CloseWait, queues(1, 0)), "stuck not-closed: python3 (pid 812, fd 7) has the peer's FIN and has not called close(); Recv-Q 1: the FIN, not read; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait), "stuck not-closed: python3 (pid 812, fd 7) has the peer's FIN and has not called close(); Recv-Q 0: all was read, the FIN too; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, shared), "stuck not-closed: each of python3 (pid 812, fd 7) and python3 (pid 813, fd 7) has the peer's FIN and has not called close(); Recv-Q 0: all was read, the FIN too; python3 (pid 812) and python3 (pid 813)"},
		{socket(tcpinfo.CloseWait, sent, pausing(4*time.Second)), "waiting not-closed: python3 (pid 812, fd 7) has the peer's FIN, and has not called close() yet; Recv-Q 0: all was read, the FIN too; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, sent, pausing(Pause)), "stuck not-closed: python3 (pid 812, fd 7) has the peer's FIN and has not called close(); Recv-Q 0: all was read, the FIN too; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, queues(101, 0)), "stuck not-closed: python3 (pid 812, fd 7) has the peer's FIN and has not called close(); Recv-Q 101: data and the FIN, not read; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, queues(1, 0), justNow), "waiting not-closed: python3 (pid 812, fd 7) has the peer's FIN, and has not called close() yet; Recv-Q 1: the FIN, not read; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, queues(1, 0), hidden), "stuck not-closed: a process of user 33 (root sees which) has the peer's FIN and has not called close(); Recv-Q 1: the FIN, not read; a process of user 33 (root sees which)"},
		{socket(tcpinfo.CloseWait, queues(6, 0), unheld, listens(socket(tcpinfo.Listen, queues(1, 8)))), "stuck not-accepted: no descriptor leads to it: it is still in the accept queue of python3 (pid 812); Recv-Q 6: data and the FIN, not read, accept queue 1/8; python3 (pid 812)"},
		{socket(tcpinfo.CloseWait, unheld), "stuck not-accepted: no descriptor leads to it: it is still in an accept queue; ; the application here that listens"},
		{socket(tcpinfo.CloseWait, queues(1, 500), timer(on, time.Second, 0)), "healthy half-closed: python3 (pid 812, fd 7) still sends after the peer's FIN, as it may; Send-Q 500; nobody"},
		{socket(tcpinfo.CloseWait, justNow, sent), "healthy half-closed: python3 (pid 812, fd 7) still sends after the peer's FIN, as it may; Send-Q 0; nobody"},
		{socket(tcpinfo.CloseWait, queues(1, 24576), timer(persist, time.Second, 0), backoff), "stuck peer-window-full: the peer's window is full: its application does not read; Send-Q 24576, probed 5 times; the peer's application"},

		{socket(tcpinfo.FinWait1, unheld, queues(0, 1), timer(on, time.Second, 0)), "waiting fin-in-flight: the FIN is under way; Send-Q 1; nobody: the peer's kernel answers"},
		{socket(tcpinfo.FinWait1, unheld, queues(0, 1), timer(on, time.Second, 3)), "stuck fin-unacknowledged: the FIN is not acknowledged: the peer is gone, or segments get lost; Send-Q 1, sent again 3 times, nothing heard for 60 s, next try in 1 s; the network, or the peer"},
		{socket(tcpinfo.FinWait1, unheld, queues(0, 5001), timer(on, time.Second, 0)), "waiting fin-in-flight: the FIN is under way, or data before it; Send-Q 5001; nobody: the peer's kernel answers"},
		{socket(tcpinfo.FinWait1, unheld, queues(0, 5001), timer(on, time.Second, 3)), "stuck fin-unacknowledged: data before the FIN had to be sent again, and is not acknowledged; Send-Q 5001, sent again 3 times, nothing heard for 60 s, next try in 1 s; the network, or the peer"},
		{socket(tcpinfo.Closing, queues(1, 1), timer(on, time.Second, 1)), "waiting fin-unacknowledged: the FIN had to be sent again; Send-Q 1, sent again once, nothing heard for 60 s, next try in 1 s; the network, or the peer"},
		{socket(tcpinfo.LastAck, unheld, queues(1, 24577), timer(persist, time.Second, 0), backoff, other(unread)), "stuck fin-behind-data: the FIN waits behind data: the peer's window is full: python3 (pid 812) does not read; Send-Q 24577, probed 5 times, the peer's Recv-Q 4096; python3 (pid 812)"},
		{socket(tcpinfo.FinWait2), "waiting peer-not-closed: python3 (pid 812, fd 7) has finished sending, and waits for the peer's FIN; ; the peer's application"},
		{socket(tcpinfo.FinWait2, other(socket(tcpinfo.CloseWait))), "waiting peer-not-closed: python3 (pid 812, fd 7) has finished sending, and waits for the peer's FIN: python3 (pid 812) has not closed the other end; ; python3 (pid 812)"},
		{socket(tcpinfo.FinWait2, justNow, received), "healthy peer-not-closed: python3 (pid 812, fd 7) has finished sending, and the peer has not; ; nobody"},
		{socket(tcpinfo.FinWait2, small, timer(timewait, 41*time.Second, 0)), "waiting orphaned: closed here, and not by the peer; nobody has it open; 41 s left; nobody: a timer ends it"},
		{socket(tcpinfo.FinWait2, small, timer(timewait, 41*time.Second, 0), other(socket(tcpinfo.CloseWait, unheld))), "waiting orphaned: closed here, and not by the peer; nobody has it open: the other end has not been accepted yet; 41 s left; nobody: a timer ends it"},
		{socket(tcpinfo.TimeWait, small, timer(timewait, 41*time.Second, 0), alike(3, 28232)), "healthy closed-first: over: this side closed first, or both at once; 41 s left; nobody: a timer ends it"},
		{socket(tcpinfo.TimeWait, small, alike(20000, 28232)), "waiting ports-used-up: more than half of the ports for connect() to that address are in TIME-WAIT; 20000 of 28232 ports; the application here that connects"},
		{socket(tcpinfo.TimeWait, small, alike(28000, 28232)), "stuck ports-used-up: nearly all ports for connect() to that address are in TIME-WAIT; 28000 of 28232 ports; the application here that connects"},
		{socket(tcpinfo.TimeWait, small, alike(28000, 28232), func(f *Facts) { f.Reused = true }), "waiting ports-used-up: most ports for connect() to that address are in TIME-WAIT; tcp_tw_reuse lets it take them over after a second; 28000 of 28232 ports; nobody, unless connect() fails"},
		{socket(tcpinfo.TimeWait, small, buckets(30000, 32768)), "waiting buckets-used-up: nearly as many in TIME-WAIT as net.ipv4.tcp_max_tw_buckets; 30000 of 32768; nobody"},
		{socket(tcpinfo.Closed), "healthy bound: python3 (pid 812, fd 7) has bound an address, and neither listens nor connects; ; nobody"},
	} {
		x := Of(c.f)
		if got := x.Grade.String() + " " + x.Name + ": " + strings.Join([]string{x.Sentence(), x.Detail, x.Who}, "; "); got != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.f.State, got, c.want)
		}
	}
}

// Whatever the numbers are: a finding that --explain knows, a sentence, and who must act.
func TestOfSaysSomethingOfEverySocket(t *testing.T) {
	for _, state := range tcpinfo.States() {
		for _, kind := range []tcpinfo.TimerKind{tcpinfo.TimerNone, tcpinfo.TimerOn, tcpinfo.TimerKeepalive, tcpinfo.TimerTimeWait, tcpinfo.TimerPersist, tcpinfo.TimerDelack, 99} {
			for _, n := range []uint8{0, 1, 2, 255} {
				for _, q := range []uint32{0, 1, 1 << 31} {
					for _, change := range []func(*Facts){unheld, small, hidden, justNow, func(*Facts) {}} {
						x := Of(socket(state, change, timer(kind, time.Second, n), queues(q, q)))
						if explain.FindFinding(x.Name) == nil || x.Sentence() == "" || x.Who == "" || strings.Contains(x.Sentence()+x.Detail+x.Who, "  ") {
							t.Fatalf("%v, timer %v,%d, queues %d: %+v", state, kind, n, q, x)
						}
					}
				}
			}
		}
	}
}

func TestOwnersInWords(t *testing.T) {
	h := func(pid, fd int) owner.Holder { return owner.Holder{Process: "nginx", PID: pid, FD: fd} }
	for _, c := range []struct {
		owners    []owner.Holder
		one, many string
	}{
		{[]owner.Holder{h(1, 3)}, "nginx (pid 1, fd 3)", "nginx (pid 1)"},
		{[]owner.Holder{h(1, 3), h(2, 3)}, "nginx (pid 1, fd 3) and nginx (pid 2, fd 3)", "nginx (pid 1) and nginx (pid 2)"},
		{[]owner.Holder{h(1, 3), h(1, 9)}, "nginx (pid 1, fd 3) and nginx (pid 1, fd 9)", "nginx (pid 1)"},
		{[]owner.Holder{h(1, 3), h(2, 3), h(3, 3)}, "nginx (pid 1, fd 3) and 2 others", "nginx (pid 1) and 2 others"},
	} {
		f := &Facts{Owners: c.owners}
		if one, many := f.who(); one != c.one || many != c.many {
			t.Errorf("%q, %q, want %q, %q", one, many, c.one, c.many)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 ms", 999 * time.Millisecond: "999 ms", 1999 * time.Millisecond: "1 s", 99 * time.Second: "99 s", 100 * time.Second: "1 min",
		3*time.Minute + 59*time.Second: "3 min", 100 * time.Minute: "1 h"} {
		if got := Ago(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
