package lab

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Link is what the wire does to packets without being asked about each: the properties of a line. It applies in both
// directions, to what no rule drops or holds.
type Link struct {
	Delay time.Duration // from one host to the other, up to an hour
	Loss  float64       // how likely a packet is lost, from 0 to 1

	// Seed makes chance repeatable: what happens to the nth packet from a host depends on the seed and on n, and on
	// nothing else. How many acknowledgements a kernel sends is a matter of timing, though, so which byte of a stream
	// the nth packet carries may differ from run to run; a rule says exactly what it is about.
	Seed uint64
}

const maxDelay = time.Hour

func (l Link) check() error {
	if l.Delay < 0 || l.Delay > maxDelay {
		return fmt.Errorf("lab: delay %v: want 0 to %v", l.Delay, maxDelay)
	}
	if !(l.Loss >= 0 && l.Loss <= 1) { // NaN is neither
		return fmt.Errorf("lab: loss %v: want a probability from 0 to 1", l.Loss)
	}
	return nil
}

// loses decides about the nth packet from a side.
func (l Link) loses(from Side, number uint64) bool {
	return rand.New(rand.NewPCG(l.Seed, uint64(from)<<60|number)).Float64() < l.Loss
}
