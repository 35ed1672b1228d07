package observe

import (
	"net/netip"
	"testing"

	"socklife/internal/timeline"
)

func TestWhoseAnAddressIs(t *testing.T) {
	var o Owners
	addr := netip.MustParseAddrPort
	o.Claim(addr("127.0.0.1:7007"), timeline.Server)
	o.Claim(addr("127.0.0.1:7007"), timeline.Client) // too late
	o.Claim(addr("127.0.0.1:40000"), timeline.Client)
	o.Claim(addr("[::]:8008"), timeline.Server)
	for _, c := range []struct {
		local, remote string
		side          timeline.Side
		ours          bool
	}{
		{"127.0.0.1:7007", "0.0.0.0:0", timeline.Server, true},
		{"127.0.0.1:7007", "127.0.0.1:40000", timeline.Server, true},
		{"127.0.0.1:40000", "127.0.0.1:7007", timeline.Client, true},
		{"127.0.0.1:0", "127.0.0.1:7007", timeline.Client, true},
		{"[::ffff:127.0.0.1]:7007", "[::ffff:127.0.0.1]:50000", timeline.Server, true},
		{"192.0.2.7:8008", "192.0.2.9:50000", timeline.Server, true}, // it listens on all addresses
		{"[fe80::1%eth0]:50000", "[fe80::2%eth0]:8008", timeline.Client, true},
		{"127.0.0.2:7007", "127.0.0.1:50000", "", false}, // a stranger's, at the same port of another address
		{"127.0.0.1:50000", "127.0.0.2:7007", "", false},
	} {
		side, ours := o.Of(addr(c.local), addr(c.remote))
		if ours != c.ours || ours && side != c.side {
			t.Errorf("%s to %s: %s, %v", c.local, c.remote, side, ours)
		}
	}
}
