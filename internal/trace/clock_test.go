package trace

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"socklife/tcpinfo"
)

// The kernel's stamps are on the clock that a program reads around its calls.
func TestClock(t *testing.T) {
	l := bound(t, loopback4)
	l.listen(200)
	tr := open(t, l.local().Port())
	for range 100 {
		before := time.Now()
		c := dial(t, l.local())
		after := time.Now()
		c.reset()
		events, err := drain(tr)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.To != tcpinfo.Closed && (e.Time.Before(before) || e.Time.After(after)) {
				t.Errorf("%v: %v after connect(2) began, which took %v", e, e.Time.Sub(before), after.Sub(before))
			}
			if wall := e.Time.Round(0).Sub(before.Round(0)); wall < -time.Second || wall > 10*time.Second {
				t.Errorf("%v: %v by the wall clock", e, wall)
			}
		}
	}
}

// Also where CLOCK_MONOTONIC is another: time_namespaces(7).
func TestClockInATimeNamespace(t *testing.T) {
	needRoot(t)
	if timeNamespace() != 0 {
		t.Skip("this is one already")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--time", "--fork", "--monotonic", "123456", self, "-test.run=^TestClock$", "-test.v")
	if out, err := exec.Command("unshare", "--time", "--fork", "--monotonic", "1", "true").CombinedOutput(); err != nil {
		t.Skipf("time namespaces need Linux 5.6 and util-linux 2.36: %s", out)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestParseTimens(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0,
		"monotonic           0         0\nboottime            0         0\n": 0,
		"boottime  5 0\nmonotonic  -12 500\n":                                -12e9 + 500,
		"monotonic 1\n":                                                      0,
	} {
		if got := parseTimens(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
