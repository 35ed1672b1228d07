package cli

import (
	"context"
	"net"
	"testing"
	"time"
)

// Ctrl-C ends a look-up that nobody answers.
func TestALookUpIsInterrupted(t *testing.T) {
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", silent.LocalAddr().String())
	}}
	ctx, interrupt := context.WithCancelCause(t.Context())
	go func() {
		silent.ReadFrom(make([]byte, 512)) // it asks
		interrupt(ErrInterrupted)
	}()
	start := time.Now()
	if _, err := Address(ctx, "name.example:7"); Status(err) != ExitInterrupted {
		t.Errorf("%v, after %v", err, time.Since(start))
	}
}
