package cli

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// An address that is in use is this process' listener, a connection that it has, and then a TIME-WAIT.
func TestWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	loopback := netip.AddrPortFrom(Loopback(false), 0)
	socket := func() *sockapi.Socket {
		s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(addr netip.AddrPort, want string) {
		t.Helper()
		err := socket().Bind(addr)
		var out strings.Builder
		Complain(&out, "echod", err)
		if pattern := fmt.Sprintf(`^echod: bind %s: address already in use \(%s\)\n$`, regexp.QuoteMeta(addr.String()), want); !regexp.MustCompile(pattern).MatchString(out.String()) {
			t.Errorf("%q\nwant %s", out.String(), pattern)
		}
	}
	l := socket()
	must(l.Bind(loopback))
	server, err := l.Getsockname()
	must(err)
	us := fmt.Sprintf(`.+ \(pid %d\)`, os.Getpid())
	must(l.Listen(1))
	refused(server, us+" listens there")
	refused(netip.AddrPortFrom(netip.IPv4Unspecified(), server.Port()), us+" listens there")

	c := socket()
	must(c.Bind(loopback))
	must(c.Connect(server))
	client, err := c.Getsockname()
	must(err)
	name := regexp.QuoteMeta(fmt.Sprintf("a connection from %s to %s in ", client, server))
	refused(client, us+" has "+name+"ESTABLISHED")

	accepted, _, err := l.Accept4(0)
	must(err)
	must(c.Close())
	must(accepted.Close())
	refused(client, name+`TIME-WAIT, \d+ s left: wait, or give --reuseaddr both times; port 0 picks a free one`)
	if got := usedUp(server); !regexp.MustCompile("^there is " + name + `TIME-WAIT, \d+ s left$`).MatchString(got) {
		t.Errorf("connect: %q", got)
	}
}
