package survey

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/tcpinfo"
)

var cookies uint64

// at is a socket between two addresses; without a second one it listens.
func at(state tcpinfo.State, local, remote string, owners ...owner.Holder) *diagnose.Facts {
	cookies++
	f := &diagnose.Facts{Owners: owners, Asked: true, Root: true}
	f.State, f.Cookie, f.Local, f.Family = state, cookies, netip.MustParseAddrPort(local), unix.AF_INET
	if f.Local.Addr().Is6() {
		f.Family = unix.AF_INET6
	}
	if remote != "" {
		f.Remote = netip.MustParseAddrPort(remote)
	}
	if len(owners) > 0 {
		f.Inode = uint32(cookies)
	}
	if state != tcpinfo.TimeWait && state != tcpinfo.SynReceived {
		f.Info, f.Shutdown = &tcpinfo.Info{State: state}, new(tcpinfo.Shutdown(0))
	}
	return f
}

var python = owner.Holder{Process: "python3", PID: 812, FD: 7}

// Which listener made a connection, and which one a SYN is for, is told only where there is one that it can be.
func TestWhoseListener(t *testing.T) {
	for _, c := range []struct {
		what      string
		listeners string // with spaces
		f         *diagnose.Facts
		want      string
	}{
		{"the address itself", "0.0.0.0:80 127.0.0.1:80", at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000"), "127.0.0.1:80"},
		{"any address", "0.0.0.0:80 127.0.0.2:80", at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000"), "0.0.0.0:80"},
		{"another port", "0.0.0.0:81", at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000"), ""},
		{"two that share it", "0.0.0.0:80 0.0.0.0:80", at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000"), ""},
		{"of the other family", "[::]:80", at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000"), ""},
		{"IPv4 over IPv6", "[::]:80", at(tcpinfo.Established, "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:5000"), "[::]:80"},
		{"half open", "0.0.0.0:80", at(tcpinfo.SynReceived, "127.0.0.1:80", "127.0.0.1:5000"), "0.0.0.0:80"},
		{"a SYN to it", "0.0.0.0:80", at(tcpinfo.SynSent, "127.0.0.1:5000", "127.0.0.1:80"), "0.0.0.0:80"},
		{"a SYN to both families", "[::]:80", at(tcpinfo.SynSent, "127.0.0.1:5000", "127.0.0.1:80"), "[::]:80"},
		{"a SYN to another host", "0.0.0.0:80", at(tcpinfo.SynSent, "192.0.2.1:5000", "192.0.2.9:80"), ""},
	} {
		all := []*diagnose.Facts{c.f}
		for _, l := range strings.Fields(c.listeners) {
			all = append(all, at(tcpinfo.Listen, l, "", python))
		}
		newScene(all, Limits{}).join()
		got := c.f.Listener
		if c.f.State == tcpinfo.SynSent {
			got = c.f.Reaches
		}
		if (got == nil) != (c.want == "") || got != nil && got.Local.String() != c.want {
			t.Errorf("%s: %v, want %q", c.what, got, c.want)
		}
	}
}

// A listener knows what waits at it, both ends of a connection each other, and a socket in TIME-WAIT how many there
// are.
func TestTheSceneJoins(t *testing.T) {
	l := at(tcpinfo.Listen, "0.0.0.0:80", "", python)
	waiting, half := at(tcpinfo.CloseWait, "127.0.0.1:80", "127.0.0.1:5000"), at(tcpinfo.SynReceived, "127.0.0.1:80", "127.0.0.1:5001")
	waiting.Queue = time.Minute
	client, self := at(tcpinfo.FinWait2, "127.0.0.1:5000", "127.0.0.1:80"), at(tcpinfo.Established, "127.0.0.1:9", "127.0.0.1:9", python)
	all := []*diagnose.Facts{l, waiting, half, client, self}
	for port := range 3 {
		all = append(all, at(tcpinfo.TimeWait, fmt.Sprintf("127.0.0.1:%d", 6000+port), "127.0.0.1:443"))
	}
	served := at(tcpinfo.TimeWait, "127.0.0.1:80", "127.0.0.1:443")
	s := newScene(append(all, served), Limits{Ports: 100, TimeWaits: 1000})
	s.join()
	if l.Half != 1 || l.Waiting != time.Minute || client.Other != waiting || waiting.Other != client || self.Other != nil {
		t.Errorf("%+v\n%+v\n%+v", l, client.Other, self.Other)
	}
	if last := all[len(all)-1]; last.Alike != (diagnose.Share{N: 3, Of: 100}) || last.All != (diagnose.Share{N: 4, Of: 1000}) || served.Alike != (diagnose.Share{}) {
		t.Errorf("%+v, %+v", last, served)
	}
	if !s.server(l) || !s.server(half) || !s.server(served) || s.server(client) {
		t.Error("who is a server")
	}
}

// turn takes one as if the kernel had told it.
func (s *Survey) turn(now time.Time, all ...*diagnose.Facts) *Turn {
	t := &Turn{At: now, First: s.turns == 0}
	s.take(t, all)
	return t
}

// changes are those of a turn, in short.
func changes(t *Turn) string {
	var list []string
	for _, c := range t.Changes {
		list = append(list, fmt.Sprintf("%d %s %v>%v %v", c.Number, c.What, c.From, c.State, c.Finding.Name))
	}
	return strings.Join(list, "; ")
}

// From turn to turn: what is new, since when, whose it was, and what is gone. An age is never more than was seen.
func TestTurns(t *testing.T) {
	begin := time.Now()
	s := New(nil, Config{Targets: []Target{{PID: 812}}, Root: true})
	c := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", python)
	again := func(state tcpinfo.State, owners ...owner.Holder) *diagnose.Facts {
		f := at(state, "127.0.0.1:80", "127.0.0.1:5000", owners...)
		f.Cookie, f.Inode = c.Cookie, 0
		if len(owners) > 0 {
			f.Inode = c.Inode
		}
		return f
	}
	for i, step := range []struct {
		f     *diagnose.Facts
		news  string
		since time.Duration
		exact bool
	}{
		{again(tcpinfo.Established, python), "1 new UNKNOWN(0)>ESTABLISHED open", 0, false},
		{again(tcpinfo.Established, python), "", time.Second, false},
		{again(tcpinfo.CloseWait, python), "1 changed ESTABLISHED>CLOSE-WAIT not-closed", 0, true},
		{again(tcpinfo.CloseWait, python), "1 changed CLOSE-WAIT>CLOSE-WAIT not-closed", time.Second, true}, // it lasts: stuck
		{again(tcpinfo.CloseWait, python), "", 2 * time.Second, true},
		{again(tcpinfo.LastAck), "1 changed CLOSE-WAIT>LAST-ACK fin-in-flight", 0, true}, // nobody has it open: it was 812's
	} {
		turn := s.turn(begin.Add(time.Duration(i)*time.Second), step.f)
		if got := changes(turn); got != step.news || len(turn.Sockets) != 1 || turn.Sockets[0].For != step.since || turn.Sockets[0].Exact != step.exact {
			t.Fatalf("turn %d: %q, want %q; %+v", i, got, step.news, turn.Sockets)
		}
	}
	for i, want := range []string{"", "1 gone LAST-ACK>LAST-ACK fin-in-flight"} { // a dump may miss one
		if got := changes(s.turn(begin.Add(time.Minute + time.Duration(i)))); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	fresh := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5001", python)
	fresh.Info.LastAckRecv = time.Hour // what came after the first turn is no older than that
	if turn := s.turn(begin.Add(61*time.Second), fresh); changes(turn) != "2 new UNKNOWN(0)>ESTABLISHED open" || turn.Sockets[0].For != 0 || !turn.Sockets[0].Exact {
		t.Errorf("%s; %+v", changes(turn), turn.Sockets[0])
	}
	old := New(nil, Config{Targets: []Target{{}}, Root: true})
	if turn := old.turn(begin, fresh); turn.Sockets[0].For != time.Hour || turn.Sockets[0].Exact {
		t.Errorf("%+v", turn.Sockets[0])
	}
}

// A client that leaves does not make the wait for accept() shorter.
func TestTheWaitGoesOn(t *testing.T) {
	begin := time.Now()
	s := New(nil, Config{Targets: []Target{{}}, Root: true})
	l := at(tcpinfo.Listen, "127.0.0.1:80", "", python)
	l.RecvQ = 1
	c := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000")
	c.Info.LastAckRecv = 10 * time.Second
	s.turn(begin, l, c)
	left := at(tcpinfo.CloseWait, "127.0.0.1:80", "127.0.0.1:5000")
	left.Cookie = c.Cookie
	turn := s.turn(begin.Add(time.Second), l, left)
	if f := turn.Sockets[1]; f.For != 0 || f.Queue != 11*time.Second || f.Finding.Grade != diagnose.Stuck || l.Waiting != 11*time.Second {
		t.Errorf("%v, %v, %v; %v", f.For, f.Queue, f.Finding, l.Waiting)
	}
}

// Groups are of the same; folded, no more than asked for as far as that goes, and none is lost.
func TestGroupsFold(t *testing.T) {
	s := New(nil, Config{Targets: []Target{{}}, Root: true})
	var all []*diagnose.Facts
	for i := range 300 {
		f := at(tcpinfo.CloseWait, "127.0.0.1:7000", fmt.Sprintf("192.0.2.1:%d", 5000+i), owner.Holder{Process: "leaky", PID: 100 + i%30, FD: i})
		f.Info.LastAckRecv = time.Hour
		all = append(all, f)
	}
	l := at(tcpinfo.Listen, "127.0.0.1:7000", "", python)
	groups := Groups(s.turn(time.Now(), append(all, l)...).Entries())
	if len(groups) != 31 || groups[0].Name != "not-closed" || groups[30].Name != "listening" {
		t.Fatalf("%d groups, %+v", len(groups), groups[0])
	}
	folded := Fold(groups, 5)
	if len(folded) != 2 || len(folded[0].Entries) != 300 || folded[0].Who != "the application here" || folded[0].Common() != "each of 30 processes has the peer's FIN and has not called close()" {
		t.Errorf("%d groups, %d, %s", len(folded), len(folded[0].Entries), folded[0].Common())
	}
}

// Who is sent more and more, and reads none of it, is stuck; who reads some of it in between is not.
func TestWhoReadsNothing(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		reads uint64 // in each second, of the 100 bytes that come
		want  diagnose.Grade
	}{{0, diagnose.Stuck}, {50, diagnose.Healthy}} {
		s := New(nil, Config{Targets: []Target{{}}, Root: true})
		f := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", python)
		var turn *Turn
		for second := range 3 {
			f.Info.BytesReceived = uint64(100 * (second + 1))
			f.RecvQ = uint32(f.Info.BytesReceived - c.reads*uint64(second))
			turn = s.turn(begin.Add(time.Duration(second)*time.Second), f)
		}
		if got := turn.Sockets[0]; got.Finding.Grade != c.want || got.Finding.Name != "not-read" {
			t.Errorf("%d bytes read: %v", c.reads, got.Finding)
		}
	}
}

// Each socket is in one entry, also where four have the addresses of two, as link-local ones of two links may be.
func TestEachSocketIsInOneEntry(t *testing.T) {
	s := New(nil, Config{Targets: []Target{{}}, Root: true})
	var all []*diagnose.Facts
	for _, link := range []string{"a", "b"} {
		server, client := "[fe80::1%"+link+"]:80", "[fe80::2%"+link+"]:5000"
		all = append(all, at(tcpinfo.CloseWait, server, client, python), at(tcpinfo.FinWait2, client, server))
	}
	turn := s.turn(time.Now(), all...)
	turn.Sockets[0].Other = turn.Sockets[0].Facts // as a file may say
	for range 2 {
		times := map[*Socket]int{}
		for _, e := range turn.Entries() {
			times[e.Socket]++
			if e.Peer != nil {
				times[e.Peer]++
			}
		}
		for _, s := range turn.Sockets {
			if times[s] != 1 {
				t.Errorf("%v %v is in %d entries", s.Local, s.State, times[s])
			}
		}
		turn = s.turn(time.Now(), all...)
	}
}

// looked is what a survey makes of one socket at several looks, a second apart.
func looked(looks ...func(*diagnose.Facts)) (list []*diagnose.Facts) {
	s, now := New(nil, Config{}), time.Now()
	first := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", python)
	for i, change := range looks {
		f := *first
		f.Info = &tcpinfo.Info{State: f.State}
		change(&f)
		s.turns = i + 1
		s.track(&f, now.Add(time.Duration(i)*time.Second))
		list = append(list, &f)
	}
	return list
}

// A window that is full at each look, and lets bytes through between them, is not full for all that time.
func TestAWindowThatOpensNowAndThen(t *testing.T) {
	acked := func(n uint64) func(*diagnose.Facts) {
		return func(f *diagnose.Facts) {
			f.Timer, f.SendQ, f.Info.BytesAcked = tcpinfo.Timer{Kind: tcpinfo.TimerPersist}, 500, n
		}
	}
	for i, f := range looked(acked(100), acked(200), acked(300), acked(300), acked(300)) {
		want := max(0, time.Duration(i-2)*time.Second)
		if f.Held != want || (diagnose.Of(f).Grade == diagnose.Stuck) != (want >= diagnose.Lasting) {
			t.Errorf("look %d: held for %v, want %v: %+v", i, f.Held, want, diagnose.Of(f))
		}
	}
}

// Who was seen to read is not taken for somebody who does not, at each pause.
func TestAReaderThatPauses(t *testing.T) {
	queue := func(received uint64, recvQ uint32) func(*diagnose.Facts) {
		return func(f *diagnose.Facts) {
			f.RecvQ, f.Info.BytesReceived, f.Info.LastDataRecv = recvQ, received, time.Minute
		}
	}
	slow := looked(queue(100, 40), queue(100, 39), queue(100, 39), queue(100, 39))
	if f := slow[0]; f.Reads || diagnose.Of(f).Grade != diagnose.Stuck {
		t.Errorf("at the first look nobody was seen to read: %+v", diagnose.Of(f))
	}
	if f := slow[3]; !f.Reads || f.Unread != 2*time.Second || diagnose.Of(f).Grade != diagnose.Healthy {
		t.Errorf("reads %v, unread for %v: %+v", f.Reads, f.Unread, diagnose.Of(f))
	}
	if f := looked(queue(100, 0), queue(140, 40))[1]; f.Reads || f.Unread != 0 {
		t.Errorf("what has just come: reads %v, unread for %v", f.Reads, f.Unread)
	}
}

// tcp_tw_reuse counts where it has an effect.
func TestPortsThatAreTakenOver(t *testing.T) {
	here, there := at(tcpinfo.TimeWait, "127.0.0.1:5000", "127.0.0.1:80"), at(tcpinfo.TimeWait, "192.0.2.1:5000", "192.0.2.9:80")
	for reuse, want := range map[int][2]bool{0: {false, false}, 1: {true, true}, 2: {true, false}} {
		newScene([]*diagnose.Facts{here, there}, Limits{Ports: 10, Reuse: reuse}).join()
		if got := [2]bool{here.Reused, there.Reused}; got != want {
			t.Errorf("tcp_tw_reuse %d: loopback and elsewhere %v, want %v", reuse, got, want)
		}
	}
}

// What is none of those that were asked for any more is told of when that is seen, and not when the kernel forgets it.
func TestWhatLeavesIsTold(t *testing.T) {
	s, now := New(nil, Config{Targets: []Target{{}}, States: tcpinfo.MaskOf(tcpinfo.Established)}), time.Now()
	f := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", python)
	left := *f
	left.State = tcpinfo.CloseWait
	for i, step := range []struct {
		f    *diagnose.Facts
		want string
	}{{f, "1 new ?>ESTABLISHED open"}, {&left, "1 gone ESTABLISHED>CLOSE-WAIT not-closed"}, {&left, ""}, {at(tcpinfo.Listen, "127.0.0.1:1", ""), ""}, {at(tcpinfo.Listen, "127.0.0.1:1", ""), ""}} {
		if got := changes(s.turn(now.Add(time.Duration(i)*time.Second), step.f)); strings.ReplaceAll(got, fmt.Sprint(tcpinfo.State(0)), "?") != step.want {
			t.Errorf("turn %d: %q, want %q", i, got, step.want)
		}
	}
}

// A process that has ended is not said to have what it has handed over.
func TestAnotherOwnerIsNews(t *testing.T) {
	s, now := New(nil, Config{Targets: []Target{{}}}), time.Now()
	f := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", python)
	child, dup := *f, *f
	child.Owners = []owner.Holder{{Process: "python3", PID: 999, FD: 7}}
	dup.Owners = []owner.Holder{{Process: "python3", PID: 999, FD: 8}}
	for i, f := range []*diagnose.Facts{f, &child, &child, &dup} {
		if got, want := len(s.turn(now.Add(time.Duration(i)*time.Second), f).Changes), [...]int{1, 1, 0, 0}[i]; got != want {
			t.Errorf("turn %d: %d changes, want %d", i, got, want)
		}
	}
}

// A process that has the number of one that was asked for is another.
func TestAnotherProcessWithTheNumber(t *testing.T) {
	f := at(tcpinfo.Established, "127.0.0.1:80", "127.0.0.1:5000", owner.Holder{Process: "test", PID: os.Getpid(), FD: 3})
	for began, want := range map[string]int{owner.Began(os.Getpid()): 1, "1": 0, "": 1} {
		s := New(nil, Config{Targets: []Target{{PID: os.Getpid(), Began: began}}})
		s.processes()
		if got := len(s.turn(time.Now(), f).Sockets); got != want || owner.Began(os.Getpid()) == "" {
			t.Errorf("began at %q: %d sockets, want %d", began, got, want)
		}
	}
}

// Each local address has all the ports.
func TestPortsOfEachAddress(t *testing.T) {
	var all []*diagnose.Facts
	for i := range 6 {
		all = append(all, at(tcpinfo.TimeWait, fmt.Sprintf("127.0.0.%d:%d", 2+i%2, 5000+i), "127.0.0.1:80"))
	}
	newScene(all, Limits{Ports: 100}).join()
	for _, f := range all {
		if f.Alike != (diagnose.Share{N: 3, Of: 100}) {
			t.Errorf("%v: %+v", f.Local, f.Alike)
		}
	}
}
