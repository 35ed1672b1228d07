package stage

import (
	"fmt"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	b := Pattern(300000)
	for at := 0; at < len(b); at += 8 {
		if got, want := string(b[at:at+8]), fmt.Sprintf("%07d\n", at); got != want {
			t.Fatalf("at %d: %q, want %q", at, got, want)
		}
	}
	for _, n := range []int{0, 1, 8, 13} {
		if got := Pattern(n); string(got) != string(b[:n]) || len(got) != n {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}
