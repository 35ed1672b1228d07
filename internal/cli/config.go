package cli

import (
	"os"
	"time"

	"socklife/internal/scenario"
)

// TwoTerminalTimeout is how long a side waits for the other when a person may be stepping through that.
const TwoTerminalTimeout = 15 * time.Minute

// Config is how the flags want a scenario run whose events go to out.
func (f *Flags) Config(out Output) scenario.Config {
	cfg := scenario.Config{
		Hold: f.Hold, Capture: f.Wire.Capture, AbsoluteSeq: f.Wire.Absolute, Trace: f.Trace, Full: f.Full,
		OnListener: f.Sockets.Apply,
		OnConn:     f.Sockets.Apply,
		Backlog:    f.Sockets.Backlog(),
		Log:        out.Log,
	}
	if out.terminal {
		cfg.Pace = f.Pace
	}
	if out.screen != nil && !f.Wire.On {
		cfg.Step = newStepper(os.Stdin, out.screen).Step
	}
	return cfg
}
