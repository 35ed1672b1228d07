package tcpinfo

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// procLine is a line of /proc/net/tcp or tcp6 (proc_net_tcp.rst of the kernel's documentation).
type procLine struct {
	local, remote netip.AddrPort
	state         State
	tx, rx        uint64
	timer         TimerKind
	when          time.Duration
	retrans       uint64
	uid, inode    uint64
}

func procOf(t *testing.T, file string) []procLine {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Skip(err)
	}
	var list []procLine
	for n, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		w := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
		if n == 0 || len(w) < 10 {
			continue
		}
		queues, timer := strings.Split(w[4], ":"), strings.Split(w[5], ":")
		list = append(list, procLine{
			local: procAddr(t, w[1]), remote: procAddr(t, w[2]), state: State(procNum(t, w[3], 16)),
			tx: procNum(t, queues[0], 16), rx: procNum(t, queues[1], 16),
			timer: TimerKind(procNum(t, timer[0], 16)), when: time.Duration(procNum(t, timer[1], 16)) * 10 * time.Millisecond,
			retrans: procNum(t, w[6], 16), uid: procNum(t, w[7], 10), inode: procNum(t, w[9], 10),
		})
	}
	return list
}

func procNum(t *testing.T, s string, base int) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// procAddr reads an address: words of 32 bits, each as the machine would print it, whose memory is in network order.
func procAddr(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil {
		t.Fatal(err)
	}
	if !bigEndian {
		for w := 0; w < len(b); w += 4 {
			slices.Reverse(b[w : w+4])
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a, uint16(procNum(t, port, 16)))
}

func testMixProc(t *testing.T, c *Conn, m *mix) {
	for _, want := range m.list {
		if want.state == Closed {
			continue // bound-only sockets are not in /proc/net/tcp
		}
		file := "/proc/thread-self/net/tcp"
		if want.local.Addr().Is6() {
			file += "6"
		}
		var fault string
		eventually(t, func() bool {
			fault = compareProc(c, want, procOf(t, file))
			return fault == ""
		}, func() { t.Errorf("%v: %s", want, fault) })
	}
}

func compareProc(c *Conn, want specimen, lines []procLine) string {
	at := slices.IndexFunc(lines, func(l procLine) bool { return l.local == want.local && l.remote == want.remote })
	if at < 0 {
		return "not in /proc/net/tcp"
	}
	l := lines[at]
	s, err := c.Lookup(want.local, want.remote, 0)
	if err != nil {
		return err.Error()
	}
	// What the two mean differently: a listener's limit is in SendQ only; the file counts probes in a column of its
	// own; of SYN-RECEIVED it has the listener's owner, and counts timeouts, which with TCP_DEFER_ACCEPT retransmit
	// nothing.
	sendQ, retrans, uid := uint64(s.SendQ), uint64(s.Timer.Retrans), uint64(s.UID)
	switch {
	case s.State == Listen:
		sendQ = 0
	case s.State == SynReceived:
		retrans, uid = l.retrans, l.uid
	case s.Timer.Kind == TimerPersist || s.Timer.Kind == TimerKeepalive:
		retrans = l.retrans
	}
	got := fmt.Sprint(s.State, sendQ, s.RecvQ, s.Timer.Kind, retrans, uid, s.Inode)
	file := fmt.Sprint(l.state, l.tx, l.rx, l.timer, l.retrans, l.uid, l.inode)
	if got != file {
		return fmt.Sprintf("state, send-q, recv-q, timer, retrans, uid, inode are %s here and %s in the file", got, file)
	}
	if d := (s.Timer.Expires - l.when).Abs(); s.Timer.Kind != TimerNone && d > time.Second {
		return fmt.Sprintf("the timer %v here, %v in %v in the file", s.Timer, l.timer, l.when)
	}
	return ""
}
