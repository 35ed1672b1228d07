package stage

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// A look at what has come leaves all to the lesson: the data, and the error of a connection that was reset.
func TestALookTakesNothing(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"", "hello"} {
		client, server := connected(t)
		if sent != "" {
			must(t, func() error { _, err := server.Write([]byte(sent)); return err })
		}
		must(t, func() error { return sockapi.SO_LINGER.Set(server, sockapi.Linger{OnOff: true}) })
		must(t, server.Close)
		if !polled(client, unix.POLLHUP, 5*time.Second) {
			t.Fatal("the reset did not come")
		}
		for range 3 {
			if got := peek(client); string(got) != sent {
				t.Errorf("it saw %q, want %q", got, sent)
			}
		}
		b := make([]byte, 64)
		if n, err := client.Read(b); sent != "" && string(b[:n]) != sent || sent == "" && !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("after it read() gave %q, %v", b[:n], err)
		}
	}
}

func must(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Fatal(err)
	}
}

// connected are both ends of a connection.
func connected(t *testing.T) (client, server *sockapi.Socket) {
	t.Helper()
	listener, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	must(t, func() error { return listener.Bind(netip.MustParseAddrPort("127.0.0.1:0")) })
	must(t, func() error { return listener.Listen(1) })
	addr, err := listener.Getsockname()
	if err != nil {
		t.Fatal(err)
	}
	if client, err = sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil); err != nil {
		t.Fatal(err)
	}
	must(t, func() error { return client.Connect(addr) })
	if server, _, err = listener.Accept4(0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
