package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

func TestAddress(t *testing.T) {
	for arg, want := range map[string]string{
		"127.0.0.1:7007": "127.0.0.1:7007", "127.0.0.1": "127.0.0.1:7007", ":7": "127.0.0.1:7", "[::1]:9": "[::1]:9",
		"::1": "[::1]:7007", "[fe80::1%lo]:7": "[fe80::1%lo]:7", "0.0.0.0:0": "0.0.0.0:0", "127.0.0.1:echo": "127.0.0.1:7",
	} {
		got, err := new(Flags).Address(t.Context(), arg)
		if err != nil || got.String() != want {
			if strings.HasSuffix(arg, ":echo") && err != nil {
				continue // no /etc/services here
			}
			t.Errorf("%s: got %v (%v), want %s", arg, got, err, want)
		}
	}
	for _, arg := range []string{"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "[::1", "a:b:c", "no-such-host.invalid:7"} {
		if got, err := new(Flags).Address(t.Context(), arg); err == nil || Status(err) != ExitUsage {
			t.Errorf("%s: got %v, %v", arg, got, err)
		}
	}
}

func TestBindAddressTakesAnyPort(t *testing.T) {
	for arg, want := range map[string]string{"": "invalid AddrPort", "127.0.0.1": "127.0.0.1:0", "localhost": "127.0.0.1:0", "::1": "[::1]:0", "127.0.0.1:5": "127.0.0.1:5"} {
		if got, err := new(Flags).BindAddress(t.Context(), arg); err != nil || got.String() != want {
			t.Errorf("%q: got %v (%v), want %s", arg, got, err, want)
		}
	}
}

func TestLooksLikeAddr(t *testing.T) {
	for arg, want := range map[string]bool{"half-close": false, "tour": false, "127.0.0.1": true, ":7": true, "::1": true, "a.b": true, "localhost": true} {
		if got := LooksLikeAddr(arg); got != want {
			t.Errorf("%s: %v", arg, got)
		}
	}
}

// Whatever went wrong is one line, with what to do where a newcomer would ask, and the right exit status.
func TestComplaints(t *testing.T) {
	call := func(name string, errno unix.Errno) error {
		return &sockapi.Error{Call: name, FD: 3, Addr: netip.MustParseAddrPort("127.0.0.1:7007"), Errno: errno}
	}
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{nil, ExitOK, ""},
		{Usagef("no such %s", "thing"), ExitUsage, "prog: no such thing\n"},
		{call("connect", unix.ECONNREFUSED), ExitFailed, "prog: connect 127.0.0.1:7007: connection refused (is echod running there?)\n"},
		{fmt.Errorf("wrapped: %w", call("bind", unix.EACCES)), ExitUnsupported, "CAP_NET_BIND_SERVICE"},
		{call("bind", unix.EADDRINUSE), ExitFailed, "ss -tanp 'sport = :7007'"},
		{&unsupported.Error{What: "no", How: "get it"}, ExitUnsupported, "prog: no: get it\n"},
		{ErrInterrupted, ExitInterrupted, ""},
		{context.Canceled, ExitInterrupted, ""},
		{errors.New("two\nlines"), ExitFailed, "prog: two; lines\n"},
	} {
		var out bytes.Buffer
		if status := Complain(&out, "prog", c.err); status != c.status || !strings.Contains(out.String(), c.says) || strings.Count(out.String(), "\n") > 1 {
			t.Errorf("%v: status %d, %q", c.err, status, out.String())
		}
	}
}

// --hold is a time, or a rule for the wire.
func TestHoldIsATimeOrARule(t *testing.T) {
	f := NewFlags("echoc")
	f.Wire.AddTo(f.Set)
	if err := f.Parse([]string{"--wire", "--hold", "5s", "--hold", "client fin 1", "--drop", "server syn+ack", "--loss", "2.5%"}); err != nil {
		t.Fatal(err)
	}
	if f.Hold != 5*time.Second || len(f.Wire.rules) != 2 || f.Wire.link.Loss != 0.025 {
		t.Errorf("hold %v, rules %v, loss %v", f.Hold, f.Wire.rules, f.Wire.link.Loss)
	}
}

func TestSysctlsOfTheHosts(t *testing.T) {
	f := NewFlags("echoc")
	f.Wire.AddTo(f.Set)
	if err := f.Parse([]string{"--wire", "--sysctl", "net.ipv4.tcp_fin_timeout=5", "--sysctl", "server:net/ipv4/ip_local_port_range=1 2"}); err != nil {
		t.Fatal(err)
	}
	want := []stage.Sysctl{{Name: "net.ipv4.tcp_fin_timeout", Value: "5"}, {Side: timeline.Server, Name: "net.ipv4.ip_local_port_range", Value: "1 2"}}
	if !slices.Equal(f.Wire.sysctls, want) {
		t.Errorf("%+v", f.Wire.sysctls)
	}
	for _, bad := range []string{"", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_fin_timeout=", "=5", "kernel.hostname=x", "both:net.ipv4.tcp_sack=0", "client:"} {
		if err := f.Wire.addSysctl(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if err := NewFlags("echoc").Parse([]string{"--sysctl", "net.ipv4.tcp_sack=0"}); err == nil {
		t.Error("a sysctl without a wire was taken")
	}
}

func TestPercent(t *testing.T) {
	for text, ok := range map[string]bool{"10%": true, "0%": true, "100%": true, "0.5%": true, "10": false, "-1%": false, "101%": false, "x%": false, "NaN%": false, "": false} {
		if _, err := percent(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPortRange(t *testing.T) {
	if r, err := parsePortRange("40000-40002"); err != nil || r != (sockapi.PortRange{Lo: 40000, Hi: 40002}) {
		t.Errorf("%v, %v", r, err)
	}
	for _, text := range []string{"", "5", "7-5", "1-65536", "a-b"} {
		if _, err := parsePortRange(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// Options are set in one order, whatever the order on the command line, and only those that were given.
func TestSocketFlagsSetWhatWasGiven(t *testing.T) {
	f := NewFlags("echoc")
	if err := f.Parse([]string{"--nodelay", "--linger", "3", "--keepidle", "30s", "--rcvbuf", "20000"}); err != nil {
		t.Fatal(err)
	}
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := f.Sockets.Apply(s); err != nil {
		t.Fatal(err)
	}
	linger, err1 := sockapi.SO_LINGER.Get(s)
	idle, err2 := sockapi.TCP_KEEPIDLE.Get(s)
	buffer, err3 := sockapi.SO_RCVBUF.Get(s)
	nodelay, err4 := sockapi.TCP_NODELAY.Get(s)
	keepalive, err5 := sockapi.SO_KEEPALIVE.Get(s)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if linger != (sockapi.Linger{OnOff: true, Seconds: 3}) || idle != 30*time.Second || buffer != 40000 || !nodelay || keepalive {
		t.Errorf("linger %v, idle %v, buffer %d, nodelay %v, keepalive %v", linger, idle, buffer, nodelay, keepalive)
	}
}
