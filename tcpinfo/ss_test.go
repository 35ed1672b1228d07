package tcpinfo

import (
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ssLine is what ss(8) prints of one socket.
type ssLine struct {
	state, recvQ, sendQ string
	local, remote       netip.AddrPort
	rest                string
}

// ssOf runs ss on one port.
func ssOf(t *testing.T, port uint16) []ssLine {
	t.Helper()
	out, err := exec.Command("ss", "-O", "-H", "-tinmoea", fmt.Sprintf("( sport = :%d or dport = :%d )", port, port)).CombinedOutput()
	if err != nil {
		t.Fatalf("ss: %v: %s", err, out)
	}
	var list []ssLine
	for line := range strings.Lines(string(out)) {
		w := strings.Fields(line)
		if len(w) < 5 {
			continue
		}
		list = append(list, ssLine{state: w[0], recvQ: w[1], sendQ: w[2], local: ssAddr(t, w[3]), remote: ssAddr(t, w[4]),
			rest: " " + strings.Join(w[5:], " ") + " "})
	}
	return list
}

func ssAddr(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	at := strings.LastIndexByte(s, ':')
	host, port := strings.Trim(s[:at], "[]"), s[at+1:]
	if port == "*" {
		port = "0"
	}
	if host == "*" {
		host = "::"
	}
	a, err := netip.ParseAddr(host)
	p, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil {
		t.Fatalf("ss prints the address %q", s)
	}
	return netip.AddrPortFrom(a, uint16(p))
}

func testMixSS(t *testing.T, c *Conn, m *mix) {
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("ss is missing: install iproute2")
	}
	compared := map[State]bool{}
	for port := range m.ports {
		var faults []string
		var seen []State
		// Timers run while both look; what differs has to differ again and again.
		eventually(t, func() bool {
			faults, seen = compareSS(t, c, m, port)
			return len(faults) == 0
		}, func() { t.Errorf("port %d: %s", port, strings.Join(faults, "\n")) })
		for _, s := range seen {
			compared[s] = true
		}
	}
	for _, s := range States() {
		// Closed is the bound-only socket, which older ss do not list.
		if !compared[s] && s != Closed {
			t.Errorf("nothing in %v was compared", s)
		}
	}
}

// compareSS returns the differences, and the states compared.
func compareSS(t *testing.T, c *Conn, m *mix, port uint16) (faults []string, seen []State) {
	t.Helper()
	lines := ssOf(t, port)
	ours := m.dump(c)
	for _, l := range lines {
		n := 0
		for _, s := range ours {
			if s.Local == l.local && s.Remote.Port() == l.remote.Port() {
				n++
				faults = append(faults, l.differences(s)...)
				seen = append(seen, s.State)
			}
		}
		if n != 1 {
			faults = append(faults, fmt.Sprintf("ss lists %s %v > %v, the dump has %d such", l.state, l.local, l.remote, n))
		}
	}
	return faults, seen
}

// differences compares one socket.
func (l ssLine) differences(s Socket) (faults []string) {
	fault := func(what string, ours, theirs any) {
		if fmt.Sprint(ours) != fmt.Sprint(theirs) {
			faults = append(faults, fmt.Sprintf("%s %v > %v: %s is %v here and %v in ss", l.state, l.local, l.remote, what, ours, theirs))
		}
	}
	fault("state", s.State.SS(), l.state)
	fault("recv-q", s.RecvQ, l.recvQ)
	fault("send-q", s.SendQ, l.sendQ)
	fault("cookie", strconv.FormatUint(s.Cookie, 16), l.value(`sk:([0-9a-f]+)`, "0"))
	fault("inode", s.Inode, l.value(`ino:(\d+)`, "0"))
	fault("uid", s.UID, l.value(`uid:(\d+)`, "0"))
	if mem := s.Mem; mem != nil {
		fault("skmem", fmt.Sprintf("r%d,rb%d,t%d,tb%d,f%d,w%d,o%d,bl%d,d%d", mem.RmemAlloc, mem.Rcvbuf, mem.WmemAlloc, mem.Sndbuf,
			mem.FwdAlloc, mem.WmemQueued, mem.Optmem, mem.Backlog, mem.Drops), l.value(`skmem:\(([^)]*)\)`, ""))
	}
	if s.Shutdown != nil {
		arrow := []byte("<->")
		if *s.Shutdown&RcvShutdown != 0 {
			arrow[0] = '-'
		}
		if *s.Shutdown&SendShutdown != 0 {
			arrow[2] = '-'
		}
		fault("shutdown", string(arrow), l.value(` ([<-]-[->]) `, ""))
	}
	fault("congestion control", s.Cong != "" && strings.Contains(l.rest, " "+s.Cong+" "), s.Cong != "")
	faults = append(faults, l.timerDifferences(s)...)
	if s.Info != nil {
		l.infoDifferences(*s.Info, fault)
	}
	return faults
}

func (l ssLine) infoDifferences(i Info, fault func(string, any, any)) {
	if i.SndWscale|i.RcvWscale != 0 {
		fault("window scales", fmt.Sprintf("%d,%d", i.SndWscale, i.RcvWscale), l.value(` wscale:(\d+,\d+)`, ""))
	}
	if i.State == Listen {
		return
	}
	fault("mss", i.SndMSS, l.value(` mss:(\d+)`, "0"))
	fault("pmtu", i.PMTU, l.value(` pmtu:(\d+)`, "0"))
	fault("advmss", i.AdvMSS, l.value(` advmss:(\d+)`, "0"))
	fault("unacked", i.Unacked, l.value(` unacked:(\d+)`, "0"))
	fault("notsent", i.NotsentBytes, l.value(` notsent:(\d+)`, "0"))
	fault("bytes_received", i.BytesReceived, l.value(` bytes_received:(\d+)`, "0"))
	fault("total_retrans", i.TotalRetrans, l.value(` retrans:\d+/(\d+)`, "0"))
	fault("app_limited", i.DeliveryRateAppLimited, strings.Contains(l.rest, " app_limited "))
	fault("snd_wnd", i.SndWnd, l.value(` snd_wnd:(\d+)`, "0"))
}

// value finds something in the rest of the line.
func (l ssLine) value(pattern, otherwise string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(l.rest); m != nil {
		return m[1]
	}
	return otherwise
}

var ssTimer = regexp.MustCompile(`timer:\((\w+),([^,]*),(\d+)\)`)

func (l ssLine) timerDifferences(s Socket) []string {
	m := ssTimer.FindStringSubmatch(l.rest)
	if m == nil {
		m = []string{"", "none", "", "0"}
	}
	if s.Timer.Kind.String() != m[1] || fmt.Sprint(s.Timer.Retrans) != m[3] {
		return []string{fmt.Sprintf("%v > %v: timer %v here, %s in ss", l.local, l.remote, s.Timer, m[0])}
	}
	theirs, unit := ssDuration(m[2])
	if d := (s.Timer.Expires - theirs).Abs(); d > unit+500*time.Millisecond {
		return []string{fmt.Sprintf("%v > %v: timer %v here, %s in ss", l.local, l.remote, s.Timer, m[0])}
	}
	return nil
}

// ssDuration reads "119min", "1min5sec", "59sec", "3.204ms" (3 s 204 ms) and "204ms"; unit is how coarse that is.
func ssDuration(s string) (d, unit time.Duration) {
	m := regexp.MustCompile(`^(?:(\d+)min)?(?:(\d+)(?:sec|\.))?(?:(\d+)ms)?$`).FindStringSubmatch(s)
	if m == nil {
		return 0, 0
	}
	n := func(i int) time.Duration { v, _ := strconv.Atoi(m[i]); return time.Duration(v) }
	d = n(1)*time.Minute + n(2)*time.Second + n(3)*time.Millisecond
	switch {
	case n(1) > 9:
		return d, time.Minute
	case n(3) > 0:
		return d, time.Millisecond
	}
	return d, time.Second
}

func TestSSDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"119min": 119 * time.Minute, "1min5sec": 65 * time.Second, "59sec": 59 * time.Second,
		"3.204ms": 3204 * time.Millisecond, "204ms": 204 * time.Millisecond, "": 0,
	} {
		if got, _ := ssDuration(s); got != want {
			t.Errorf("%q is %v, want %v", s, got, want)
		}
	}
}
