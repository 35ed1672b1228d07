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
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		// Not a Dialer: it would read net.DefaultResolver, perhaps after it was put back.
		return net.DialUDP("udp", nil, silent.LocalAddr().(*net.UDPAddr))
	}}
	ctx, interrupt := context.WithCancelCause(t.Context())
	go func() {
		silent.ReadFrom(make([]byte, 512)) // it asks
		interrupt(ErrInterrupted)
	}()
	start := time.Now()
	_, err = new(Flags).Address(ctx, "name.example:7")
	if took := time.Since(start); Status(err) != ExitInterrupted || took > lookupTime/2 {
		t.Errorf("%v, after %v", err, took)
	}
}
