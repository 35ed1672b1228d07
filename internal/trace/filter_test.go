package trace

import (
	"net/netip"
	"strings"
	"testing"
)

func TestExpression(t *testing.T) {
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, none},
		{Filter{Everything: true, Ports: []uint16{1}}, "protocol == 6"},
		{Filter{Ports: []uint16{7007}}, "protocol == 6 && (sport == 7007 || dport == 7007)"},
		{Filter{Ports: []uint16{2, 1, 2}}, "protocol == 6 && (sport == 1 || dport == 1 || sport == 2 || dport == 2)"},
	} {
		if got := c.f.with(nil).expression(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.f, got, c.want)
		}
	}
	var many Filter
	for p := range uint16(200) {
		many = many.with([]uint16{p + 50000})
		if e := many.expression(); len(e) > maxExpression || !strings.HasPrefix(e, "protocol == 6") {
			t.Fatalf("%d ports: %d bytes: %q", p+1, len(e), e)
		}
	}
}

func TestWants(t *testing.T) {
	loop := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		f             Filter
		local, remote string
		want          bool
	}{
		{Filter{}, "127.0.0.1:1", "127.0.0.1:2", false},
		{Filter{Ports: []uint16{2, 1}}, "127.0.0.1:1", "127.0.0.1:9", true},
		{Filter{Ports: []uint16{2, 1}}, "127.0.0.1:9", "127.0.0.1:2", true},
		{Filter{Ports: []uint16{2, 1}}, "127.0.0.1:9", "127.0.0.1:8", false},
		{Filter{Everything: true}, "127.0.0.1:9", "192.0.2.1:8", true},
		{Filter{Everything: true, Nets: loop}, "127.0.0.1:9", "127.0.0.1:8", true},
		{Filter{Everything: true, Nets: loop}, "[::ffff:127.0.0.1]:9", "[::ffff:127.0.0.1]:8", true},
		{Filter{Everything: true, Nets: loop}, "192.0.2.2:9", "192.0.2.1:8", false},
		{Filter{Everything: true, Nets: loop}, "0.0.0.0:9", "0.0.0.0:0", true},
		{Filter{Everything: true, Nets: loop}, "192.0.2.2:9", "0.0.0.0:0", false},
		{Filter{Everything: true, Nets: loop}, "[::1]:9", "[::]:0", true},
		{Filter{Ports: []uint16{1}, Nets: loop}, "127.0.0.1:9", "127.0.0.1:8", false},
	} {
		e := Event{Local: netip.MustParseAddrPort(c.local), Remote: netip.MustParseAddrPort(c.remote)}
		if f := c.f.with(nil); f.wants(&e) != c.want {
			t.Errorf("%+v: %v > %v: got %v", c.f, c.local, c.remote, !c.want)
		}
	}
}
