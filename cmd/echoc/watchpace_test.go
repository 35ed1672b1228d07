package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Looks that take longer than --every leave half of the time to others, end when they shall, and that is said once.
func TestLooksThatTakeLonger(t *testing.T) {
	p := pace{every: 10 * time.Millisecond}
	for i, c := range []struct {
		took, next time.Duration
		says       string
	}{
		{4 * time.Millisecond, 10 * time.Millisecond, ""},
		{30 * time.Millisecond, 60 * time.Millisecond, ""}, // that may have been anything
		{9 * time.Millisecond, 10 * time.Millisecond, ""},
		{30 * time.Millisecond, 60 * time.Millisecond, ""},
		{40 * time.Millisecond, 80 * time.Millisecond, "a look takes 40 ms: one every 80 ms, not every 10ms"},
		{50 * time.Millisecond, 100 * time.Millisecond, ""},
	} {
		if next, says := p.after(c.took); next != c.next || says != c.says {
			t.Errorf("%d: %v, %q, want %v, %q", i, next, says, c.next, c.says)
		}
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(context.Background())
	looks, said := 0, 0
	slow := func(bool) error {
		looks++
		time.Sleep(5 * time.Millisecond) // it is what takes its time
		if looks == 3 {
			cancel(over)
		}
		return nil
	}
	say := func(string) error { said++; return nil }
	if err := eachTurn(ctx, &watchFlags{every: time.Millisecond}, slow, say); err != over || looks != 3 || said != 1 {
		t.Errorf("%v after %d looks, %d said", err, looks, said)
	}
	looks = 10
	begin := time.Now()
	if err := eachTurn(context.Background(), &watchFlags{every: time.Millisecond, length: 20 * time.Millisecond}, slow, say); err != nil || looks > 13 {
		t.Errorf("%v, %d looks in %v", err, looks-10, time.Since(begin))
	}
}
