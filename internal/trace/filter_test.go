package trace

import (
	"net/netip"
	"strings"
	"testing"
)

func TestExpression(t *testing.T) {
	for _, c := range []struct {
		p    ports
		want string
	}{
		{nil, none},
		{ports{7007}, "protocol == 6 && (sport == 7007 || dport == 7007)"},
		{ports{7007, 0}, "protocol == 6"},
		{ports{2, 1, 2}, "protocol == 6 && (sport == 1 || dport == 1 || sport == 2 || dport == 2)"},
	} {
		if got := c.p.with(nil).expression(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.p, got, c.want)
		}
	}
	var many ports
	for p := range uint16(200) {
		many = many.with([]uint16{p + 50000})
		if e := many.expression(); len(e) > maxExpression || !strings.HasPrefix(e, "protocol == 6") {
			t.Fatalf("%d ports: %d bytes: %q", p+1, len(e), e)
		}
	}
}

func TestWants(t *testing.T) {
	for _, c := range []struct {
		p             ports
		local, remote string
		want          bool
	}{
		{nil, "127.0.0.1:1", "127.0.0.1:2", false},
		{ports{2, 1}, "127.0.0.1:1", "127.0.0.1:9", true},
		{ports{2, 1}, "127.0.0.1:9", "127.0.0.1:2", true},
		{ports{2, 1}, "127.0.0.1:9", "127.0.0.1:8", false},
		{ports{2, 0}, "127.0.0.1:9", "127.0.0.1:8", true},
	} {
		e := Event{Local: netip.MustParseAddrPort(c.local), Remote: netip.MustParseAddrPort(c.remote)}
		if p := c.p.with(nil); p.wants(&e) != c.want {
			t.Errorf("%v: %v > %v: got %v", c.p, c.local, c.remote, !c.want)
		}
	}
}
