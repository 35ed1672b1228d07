package merge

import (
	"testing"

	"socklife/internal/timeline"
)

// read() gives 0 because of a FIN; not because it has told of an abort before, or of one's own shutdown().
func TestWhatAReadOfNothingShows(t *testing.T) {
	t.Parallel()
	call := func(name string, ret int, errno string, args ...string) *item {
		return &item{Event: timeline.Event{Body: &timeline.Call{Call: name, Args: args, Ret: ret, Errno: errno}}}
	}
	nothing := call("read", 0, "", "9", `""`, "64")
	for _, c := range []struct {
		name string
		to   []*item
		want int
	}{
		{"a FIN", []*item{nothing}, 1},
		{"an abort that was told", []*item{call("read", -1, "ECONNABORTED", "9", "0x7f", "64"), nothing}, 0},
		{"its own shutdown()", []*item{call("shutdown", 0, "", "9", "SHUT_RD"), nothing}, 0},
		{"a shutdown() of the other direction", []*item{call("shutdown", 0, "", "9", "SHUT_WR"), nothing}, 1},
		{"an error that is no abort", []*item{call("write", -1, "EPIPE", "9", `"x"`, "1"), nothing}, 1},
	} {
		closes := call("close", 0, "", "7")
		closes.enter = closes
		if got := finishes(&socket{calls: []*item{closes}}, &socket{calls: c.to}); len(got) != c.want {
			t.Errorf("%s: %d causes, want %d", c.name, len(got), c.want)
		}
	}
}
