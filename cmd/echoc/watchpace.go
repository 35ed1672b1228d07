package main

import (
	"context"
	"fmt"
	"time"

	"socklife/internal/diagnose"
)

// pace is when to look: once in every; but a look that takes longer than that is followed by a pause as long as itself,
// so that looking never takes more than half of the time.
type pace struct {
	every time.Duration
	slow  int // looks in a row that took longer
	told  bool
}

// after is how long after the begin of a look that took so long the next one begins; says is not empty once: when a
// second look in a row took longer than it may.
func (p *pace) after(took time.Duration) (next time.Duration, says string) {
	if took <= p.every {
		p.slow = 0
		return p.every, ""
	}
	p.slow++
	next = 2 * took
	if p.slow == 2 && !p.told {
		p.told = true
		says = fmt.Sprintf("a look takes %s: one every %s, not every %v", diagnose.Ago(took), diagnose.Ago(next), p.every)
	}
	return next, says
}

// eachTurn looks once, or again and again until the time is over or the user ends it.
func eachTurn(ctx context.Context, w *watchFlags, look func(last bool) error, say func(string) error) error {
	end := time.Now().Add(w.length)
	pace := pace{every: w.every}
	for {
		began := time.Now()
		if err := look(w.once); err != nil || w.once {
			return err
		}
		pause, says := pace.after(time.Since(began))
		if says != "" {
			if err := say(says); err != nil {
				return err
			}
		}
		next := began.Add(pause)
		last := w.length > 0 && !next.Before(end)
		if last {
			next = end
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(next)):
		}
		switch {
		case ctx.Err() != nil: // it may have come during the look, too
			return context.Cause(ctx)
		case last:
			return look(true)
		}
	}
}
