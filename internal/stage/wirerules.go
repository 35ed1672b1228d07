package stage

// What the user wants of the wire is said before the run, as a scenario's own rules are; and after it what did not come
// of that.

// announce says what the wire is like and which rules of the user's are in force.
func (w *Wire) announce() {
	link := w.run.cfg.Wire.Link
	if link.Delay > 0 {
		w.Note("the wire: each segment is %v on its way", link.Delay)
	}
	if link.Loss > 0 {
		w.Note("the wire: %v%% of the segments are lost, by chance (--seed %d)", link.Loss*100, link.Seed)
	}
	for _, rule := range w.rules {
		w.Note("the wire: %s", rule.Rule())
	}
}

// ended says which rules never fitted, and what the wire still holds, unless the user has stopped the run.
func (w *Wire) ended() {
	if w.run.outer.Err() != nil || w.quit {
		return
	}
	for _, rule := range w.rules {
		if why, unused := rule.Unused(); unused {
			w.Note("the rule `%s` never fitted a segment: %s", rule.Rule(), why)
		}
	}
	const some = 3
	held := w.Held()
	for i, p := range held {
		if i == some {
			w.Note("and %d more that the wire still holds", len(held)-some)
			break
		}
		w.Note("the wire still holds, and has not delivered, %s", w.Brief(p))
	}
}
