package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"socklife/internal/unsupported"
	"socklife/tcpinfo"
)

func ptr(a *unix.RawSockaddr) uintptr { return uintptr(unsafe.Pointer(a)) }

// supported is what the tests need, tried once.
var supported = sync.OnceValue(func() error {
	tr, err := Open()
	if err != nil {
		return err
	}
	return tr.Close()
})

// needRoot skips a test where the kernel cannot be traced, and says what is missing.
func needRoot(t testing.TB) {
	t.Helper()
	if err, ok := errors.AsType[*unsupported.Error](supported()); ok {
		t.Skip(err)
	}
}

func open(t testing.TB, ports ...uint16) *Trace {
	t.Helper()
	needRoot(t)
	tr, err := Open(ports...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func (e Event) String() string {
	return fmt.Sprintf("%v > %v: %v to %v", e.Local, e.Remote, e.From, e.To)
}

// drain is, in order, all transitions up to now that were not delivered yet, where no Run is under way. The error may
// be a *Lost.
func drain(tr *Trace) (events []Event, err error) {
	err = tr.drain(func(e Event) { events = append(events, e) })
	return events, err
}

// drainUntil collects what there is until it is enough.
func drainUntil(t testing.TB, tr *Trace, enough func([]Event) bool) (all []Event) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		events, err := drain(tr)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, events...); enough(all) {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s there is only\n%s", show(all))
		}
		tr.await()
	}
}

func show(events []Event) string {
	var b strings.Builder
	for i, life := range numbered(events) {
		fmt.Fprintf(&b, "%d %v\n", life, events[i])
	}
	return b.String()
}

// numbered says which life of a socket each event is of: from leaving CLOSED, or from the handshake a listener took
// part in, to the return to CLOSED. The kernel reuses the memory of sockets.
func numbered(events []Event) (ids []int) {
	living, lives := map[uint64]int{}, 0
	for _, e := range events {
		if living[e.sock] == 0 || e.From == tcpinfo.Closed || e.From == tcpinfo.Listen && e.To != tcpinfo.Closed {
			lives++
			living[e.sock] = lives
		}
		ids = append(ids, living[e.sock])
		if e.To == tcpinfo.Closed {
			delete(living, e.sock)
		}
	}
	return ids
}

// lives gives the states of each life, in the order in which the lives began.
func lives(events []Event) (chains []string) {
	for i, life := range numbered(events) {
		e := events[i]
		if life > len(chains) {
			chains = append(chains, e.From.String())
		}
		chain := &chains[life-1]
		if !strings.HasSuffix(*chain, e.From.String()) {
			*chain += " ..."
		}
		*chain += " " + e.To.String()
	}
	return chains
}

func sameLives(events []Event, want []string) bool { return slices.Equal(lives(events), want) }
