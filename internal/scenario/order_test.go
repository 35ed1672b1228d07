package scenario

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// The kernel sends a SYN again by itself, and so does it with a SYN-ACK: however long the lesson takes, the server is
// not connected before the lesson has said so.
func TestStaleSYNHoldsEverySYN(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 1.5 s, by the kernel's timers")
	}
	needsWire(t, staleSYN)
	result, rec := play(t.Context(), staleSYN, stage.Config{Hold: 1500 * time.Millisecond})
	possible(t, result)
	if !result.OK() {
		t.Fatal(result.Err, rec.failures())
	}
	said := noteThat(rec, "now the SYN that the client did send")
	for i, e := range rec.events {
		s, ok := e.Body.(*timeline.Segment)
		if !ok || s.Fate != "delivered" || i > said {
			continue
		}
		if s.From == timeline.Client && s.Seq == 0 && slices.Contains(s.Flags, "SYN") {
			t.Errorf("event %d: the client's SYN was delivered before the lesson said so, at event %d", i, said)
		}
		if s.From == timeline.Server && *s.Ack == 1 {
			t.Errorf("event %d: the server has answered the client's SYN before the lesson said so, at event %d", i, said)
		}
	}
	if called := indexOf(rec, func(e timeline.Event) bool { c, ok := e.Body.(*timeline.Call); return ok && c.Call == "accept4" }); called < said {
		t.Errorf("accept4() has returned at event %d, before the lesson said so, at event %d", called, said)
	}
}

// A held state may be looked at for longer than the kernel waits before it sends again: what the lesson is about does
// not get past the wire meanwhile.
func TestAHoldOutlastsTheKernelsTimers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 1.5 s for each, by the kernel's timers")
	}
	for _, sc := range []*stage.Scenario{abortOnOverflow, simultaneousOpen, simultaneousClose, timeWaitReset, oldDuplicate, lostLastAck} {
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			needsWire(t, &stage.Scenario{OnlyWire: true})
			result, rec := play(t.Context(), sc, stage.Config{Wire: &stage.WireConfig{}, Hold: 1500 * time.Millisecond})
			possible(t, result)
			if !result.OK() {
				t.Fatal(result.Err, rec.failures())
			}
		})
	}
}

// What a side has to say of one part of the lesson stands above the heading of the next, whichever side is slow.
func TestChecksStandInTheirPart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a second for each of them")
	}
	type above struct{ check, note string } // the beginning of a note, and of the last check that belongs above it
	for _, c := range []struct {
		sc    *stage.Scenario
		order []above
	}{
		{lostResponse, []above{
			{"the rest of the answer is lost", "the careful server"},
			{"the kernel counted why", "the careful server"},
		}},
		{unreadDataReset, []above{{"write() fails", "the same again"}, {"the kernel counted why", "the same again"}}},
		{crash, []above{{"CLOSED: both FINs are acknowledged", "another process"}}},
		{reuseaddr, []above{
			{"CLOSED: the server closed first", "the server that had SO_REUSEADDR"},
			{"with SO_REUSEADDR too: the old socket", "the server that had SO_REUSEADDR"},
		}},
		{synQueue, []above{{"CLOSED: SO_LINGER with 0 s", "a client that says nothing, ever"}}},
		{resets, []above{
			{"CLOSED: SO_LINGER with 0 s", "RST comes to a server in ESTABLISHED"},
			{"read() tells it", "RST comes to a server in FIN-WAIT-1"},
			{"read() gives 0", "RST comes to a server in CLOSING"},
		}},
		{portExhaustion, []above{
			{"a port that has a connection already", "what helps, at a price (2)"},
			{"the client resets one connection", "what helps (3)"},
			{"a new connection from the same port", portsTimeWait},
			{"the port is free at once, here", portsTimeWait},
		}},
	} {
		for _, slow := range []timeline.Side{timeline.Client, timeline.Server} {
			t.Run(c.sc.Name+"/"+string(slow), func(t *testing.T) {
				t.Parallel()
				result, rec := play(t.Context(), c.sc, slowSide(slow))
				possible(t, result)
				if !result.OK() {
					t.Fatal(result.Err, rec.failures())
				}
				for _, a := range c.order {
					note, check := noteThat(rec, a.note), checkThat(rec, a.check)
					if note < 0 || check < 0 || check > note {
						t.Errorf("%q is event %d, %q, which belongs above it, event %d", a.note, note, a.check, check)
					}
				}
			})
		}
	}
}

// slowSide has one side take its time before each call, as on a busy machine: nothing is waited for here.
func slowSide(slow timeline.Side) stage.Config {
	return stage.Config{Step: func(_ context.Context, side timeline.Side, _ string) error {
		if side == slow {
			time.Sleep(20 * time.Millisecond)
		}
		return nil
	}}
}

func noteThat(rec *record, begins string) int {
	return indexOf(rec, func(e timeline.Event) bool {
		n, ok := e.Body.(*timeline.Note)
		return ok && strings.HasPrefix(n.Text, begins)
	})
}

func checkThat(rec *record, begins string) int {
	return indexOf(rec, func(e timeline.Event) bool {
		c, ok := e.Body.(*timeline.Check)
		return ok && strings.HasPrefix(c.Expect, begins)
	})
}

func indexOf(rec *record, fits func(timeline.Event) bool) int {
	return slices.IndexFunc(rec.events, fits)
}
