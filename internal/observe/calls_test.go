package observe

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

func socketWith(t *testing.T, tracer sockapi.Tracer) *sockapi.Socket {
	t.Helper()
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func callsOf(rec *record) (names []string) {
	for _, e := range rec.events {
		if c, ok := e.Body.(*timeline.Call); ok {
			names = append(names, c.Call)
		}
	}
	return names
}

// The hooks are called around each call, in this order; without any, the calls are recorded all the same.
func TestHooksOfACall(t *testing.T) {
	rec := &record{}
	log := timeline.New(rec)
	var order []string
	hook := func(what string) { order = append(order, what) }
	tracer := NewTracer(log, timeline.Client, Hooks{
		Before: func(c *sockapi.Call) func() { hook("before " + Asked(c)); return func() { hook("back") } },
		Over:   func() bool { hook("over?"); return false },
		After:  func() { hook("after") },
	})
	s := socketWith(t, tracer)
	if want := []string{"before socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP)", "over?", "back", "over?", "after"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
	tracer.SetHooks(Hooks{})
	s.Shutdown(unix.SHUT_WR)
	log.Flush()
	if got, want := callsOf(rec), []string{"socket", "shutdown"}; !slices.Equal(got, want) {
		t.Errorf("recorded: %q, want %q", got, want)
	}
}

// Of a run that is over no call is recorded: neither one that is made then, nor one that was in the kernel and was
// woken. A listener that is kept belongs to the next run when that has begun.
func TestCallsOfARunThatIsOver(t *testing.T) {
	rec := &record{}
	log := timeline.New(rec)
	over := false
	tracer := NewTracer(log, timeline.Server, Hooks{Over: func() bool { return over }})
	s := socketWith(t, tracer)
	exit := tracer.Enter(&sockapi.Call{Name: "accept4", FD: 3})
	over = true
	exit()
	s.Listen(1)
	tracer.SetHooks(Hooks{Over: func() bool { return false }})
	s.Shutdown(unix.SHUT_RD)
	log.Flush()
	if got, want := callsOf(rec), []string{"socket", "shutdown"}; !slices.Equal(got, want) {
		t.Errorf("recorded: %q, want %q", got, want)
	}
}

// What a call is called before it has returned.
func TestACallInShort(t *testing.T) {
	for _, c := range []struct {
		call sockapi.Call
		want string
	}{
		{sockapi.Call{Name: "listen", FD: 3, Backlog: 5}, "listen(3, 5)"},
		{sockapi.Call{Name: "bind", FD: 3, Addr: addrPort("127.0.0.1:7")}, "bind(3, 127.0.0.1:7)"},
		{sockapi.Call{Name: "connect", FD: 3}, "connect(3)"}, // AF_UNSPEC
		{sockapi.Call{Name: "shutdown", FD: 3, How: unix.SHUT_WR}, "shutdown(3, SHUT_WR)"},
		{sockapi.Call{Name: "read", FD: 3, Len: 5}, "read(3)"},
		{sockapi.Call{Name: "accept4", FD: 3}, "accept4(3)"},
	} {
		if got := short(&c.call); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
