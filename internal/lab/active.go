package lab

import (
	"fmt"
	"slices"
)

// Active is a rule in force on a wire, with its counts.
type Active struct {
	wire *Wire
	rule Rule

	// Guarded by Wire.mu.
	after   int64 // how many packets fitted the rule's "after"
	matched int64 // how many packets fitted since
	took    int64 // on how many of those it took effect
}

// Add puts rules in force, for the packets that arrive from now on; what they count starts at 0. It returns them in the
// same order.
func (w *Wire) Add(rules ...Rule) []*Active {
	w.lock()
	defer w.unlock()
	added := make([]*Active, len(rules))
	for i, r := range rules {
		added[i] = &Active{wire: w, rule: r}
	}
	w.rules = append(w.rules, added...)
	return added
}

// Rules returns the rules in force, in the order they were added.
func (w *Wire) Rules() []*Active {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.rules)
}

// Remove ends the rule. What it did to packets under way stays: held ones stay held.
func (a *Active) Remove() {
	a.wire.lock()
	defer a.wire.unlock()
	a.wire.rules = slices.DeleteFunc(a.wire.rules, func(b *Active) bool { return a == b })
}

// sees counts a packet, and tells whether the rule takes effect on it.
func (a *Active) sees(p *Packet) bool {
	m := &a.rule.match
	if a.after < m.nth {
		if m.after.fits(p) {
			a.after++
		}
		return false // counting starts with the next packet
	}
	if !m.fits(p) {
		return false
	}
	a.matched++
	if !m.which.has(a.matched) {
		return false
	}
	a.took++
	return true
}

// Rule is the rule itself.
func (a *Active) Rule() Rule { return a.rule }

// Unused tells whether the rule has not taken effect on any packet, and why not.
func (a *Active) Unused() (why string, unused bool) {
	a.wire.mu.Lock()
	defer a.wire.mu.Unlock()
	m := &a.rule.match
	switch {
	case a.took > 0:
		return "", false
	case a.after < m.nth:
		return fmt.Sprintf("%d of %s came before, and it waits for %d", a.after, m.after.String(), m.nth), true
	}
	return fmt.Sprintf("%d of %s came", a.matched, m.pattern.String()), true
}
