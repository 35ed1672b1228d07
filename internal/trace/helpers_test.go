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

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

func ptr(a *unix.RawSockaddr) uintptr { return uintptr(unsafe.Pointer(a)) }

// supported is what the tests need, tried once.
var supported = sync.OnceValue(func() error {
	tr, err := Open(Filter{})
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

func open(t testing.TB, f Filter) *Trace {
	t.Helper()
	needRoot(t)
	tr, err := Open(f)
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

// drained collects what Drain gives until it is enough.
func drainUntil(t testing.TB, tr *Trace, enough func([]Event) bool) (all []Event) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		events, err := tr.Drain()
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, events...); enough(all) {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s there is only\n%s", show(all))
		}
		tr.await(-1)
	}
}

func show(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%d %v\n", e.Life, e)
	}
	return b.String()
}

// lives gives the states of each life, in the order in which the lives began.
func lives(events []Event) (chains []string) {
	index := map[int]int{}
	for _, e := range events {
		i, known := index[e.Life]
		if !known {
			i = len(chains)
			index[e.Life] = i
			chains = append(chains, e.From.String())
		}
		if !strings.HasSuffix(chains[i], e.From.String()) {
			chains[i] += " ..."
		}
		chains[i] += " " + e.To.String()
	}
	return chains
}

func sameLives(events []Event, want []string) bool { return slices.Equal(lives(events), want) }
