package lab

import (
	"fmt"
	"time"
)

// Link is what the wire does to packets without being asked about each: the properties of a line. It applies in both
// directions, to what no rule drops or holds.
type Link struct {
	Delay time.Duration // from one host to the other, up to an hour

	// How likely a packet is lost, is delivered twice, or is overtaken by the next three of its direction (or, if they
	// do not come, is ten milliseconds late). Between 0 and 1.
	Loss, Duplicate, Reorder float64

	// Seed makes chance repeatable: what happens to the nth packet from a host depends on the seed and on n, and on nothing
	// else. How many acknowledgements a kernel sends is a matter of timing, though, so which byte of a
	// stream the nth packet carries may differ from run to run; a rule says exactly what it is about.
	Seed uint64
}

const (
	linkOvertake = 3
	linkWithin   = 10 * time.Millisecond
	maxDelay     = time.Hour
)

func (l Link) check() error {
	if l.Delay < 0 || l.Delay > maxDelay {
		return fmt.Errorf("lab: delay %v: want 0 to %v", l.Delay, maxDelay)
	}
	for _, c := range []struct {
		name string
		p    float64
	}{{"loss", l.Loss}, {"duplicate", l.Duplicate}, {"reorder", l.Reorder}} {
		if !(c.p >= 0 && c.p <= 1) { // NaN is neither
			return fmt.Errorf("lab: %s %v: want a probability from 0 to 1", c.name, c.p)
		}
	}
	return nil
}

// idle tells whether the link leaves every packet alone.
func (l Link) idle() bool {
	return l.Delay == 0 && l.Loss == 0 && l.Duplicate == 0 && l.Reorder == 0
}

// The three decisions about a packet are independent of each other.
const (
	chanceLoss = 1 + iota
	chanceDuplicate
	chanceReorder
)

// happens decides for the nth packet from a side.
func (l Link) happens(probability float64, what uint64, from Side, number uint64) bool {
	if probability == 0 {
		return false
	}
	x := mix(mix(mix(l.Seed+what)+uint64(from)) + number)
	return float64(x>>11)/(1<<53) < probability
}

// mix spreads every bit of x over the result: the output function of splitmix64 (Steele, Lea, Flood, "Fast splittable
// pseudorandom number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
