package scenario

import (
	"strings"
	"testing"

	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// What TIME-WAIT is for is seen where there is none: the lessons of its two reasons hold there too, and say so.
func TestWithoutTimeWait(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]timeline.Side{"lost-last-ack": timeline.Client, "old-duplicate": timeline.Server} {
		t.Run(name, func(t *testing.T) {
			sc := Find(name)
			needsWire(t, sc)
			if !alone(t) {
				return
			}
			sets := []stage.Sysctl{{Name: "net.ipv4.tcp_max_tw_buckets", Value: "0"}}
			result, rec := play(t.Context(), sc, stage.Config{Wire: &stage.WireConfig{Sets: sets}})
			possible(t, result)
			if !result.OK() {
				t.Fatalf("%v %v", result.Err, rec.failures())
			}
			said, checked := false, false
			for _, e := range rec.events {
				switch b := e.Body.(type) {
				case *timeline.Note:
					said = said || b.Text == "on both hosts: sysctl net.ipv4.tcp_max_tw_buckets=0"
				case *timeline.Check:
					checked = checked || b.Expect == "without TIME-WAIT nobody remembers the connection: the answer is RST"
				case *timeline.State:
					if b.To == tcpinfo.TimeWait && e.Side == first {
						t.Errorf("the %s, which closed first, is in TIME-WAIT", e.Side)
					}
				}
			}
			if !said || !checked {
				t.Errorf("the setting was told: %v; RST was checked: %v", said, checked)
			}
		})
	}
}

// A sysctl that this kernel does not have, or whose value it does not take, is no failure of the lesson.
func TestASysctlThatCannotBeSet(t *testing.T) {
	sc := Find("close")
	needsWire(t, lostLastAck)
	if !alone(t) {
		return
	}
	for _, test := range []struct{ name, value, want string }{
		{"net.ipv4.no_such", "1", "there is no sysctl net.ipv4.no_such"},
		{"net.ipv4.tcp_fin_timeout", "soon", "this kernel takes no such value"},
	} {
		result, _ := play(t.Context(), sc, stage.Config{Wire: &stage.WireConfig{Sets: []stage.Sysctl{{Side: timeline.Client, Name: test.name, Value: test.value}}}})
		if result.Err == nil || !strings.Contains(result.Err.Error(), test.want) {
			t.Errorf("%s=%s: %v, want %s", test.name, test.value, result.Err, test.want)
		}
	}
}
