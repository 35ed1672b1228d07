package cli

import (
	"time"

	"socklife/internal/observe"
	"socklife/internal/stage"
)

// TwoTerminalTimeout is how long a side waits for the other when a person may be stepping through that.
const TwoTerminalTimeout = 15 * time.Minute

// Observed is what the flags want to be seen beside calls and sampled states, by whom out tells of; pcap may be nil.
func (f *Flags) Observed(out Output, pcap *observe.Pcap) observe.Config {
	return observe.Config{Log: out.Log, Trace: f.Trace, Capture: f.Wire.Capture, AbsoluteSeq: f.Wire.Absolute, Pcap: pcap}
}

// Config is how the flags want a scenario run whose events go to out.
func (f *Flags) Config(out Output) stage.Config {
	cfg := stage.Config{
		Hold: f.Hold, Capture: f.Wire.Capture, AbsoluteSeq: f.Wire.Absolute, Trace: f.Trace, Full: f.Full, All: f.All,
		OnListener: f.Sockets.Apply,
		OnConn:     f.Sockets.Apply,
		Backlog:    f.Sockets.Backlog(),
		Experiment: f.Sockets.Typed(),
		Log:        out.Log,
	}
	if out.terminal {
		cfg.Pace = f.Pace
	}
	cfg.Countdown = out.countdown
	if out.screen != nil && !f.Wire.On {
		cfg.Step = newStepper(f.Lines(), out).Step
	}
	return cfg
}
