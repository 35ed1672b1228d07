package timeline

import (
	"net/netip"
	"testing"

	"socklife/sockapi"
)

// The address that a call was made with is read from its arguments.
func TestAddressIn(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"127.0.0.1:7007", "0.0.0.0:0", "[::1]:65535", "[::ffff:127.0.0.1]:80", "[fe80::1%lo]:7", "[fe80::1%77]:7"} {
		c := sockapi.Call{Name: "connect", Addr: netip.MustParseAddrPort(want)}
		if got := AddressIn(c.Args()); got.String() != want {
			t.Errorf("%q: %s, want %s", c.Args(), got, want)
		}
	}
	none := sockapi.Call{Name: "connect"} // AF_UNSPEC
	for _, args := range [][]string{none.Args(), nil, {"3"}, {"3", "0x7ffe", "[16]"},
		{"3", `{sa_family=AF_INET, sin_port=htons(70000), sin_addr=inet_addr("127.0.0.1")}`},
		{"3", `{sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr("nowhere")}`}} {
		if got := AddressIn(args); got.IsValid() {
			t.Errorf("%q: %s", args, got)
		}
	}
}
