package stage

// nameOrigin says, before anything else, what the sequence numbers of a lesson count from that has old segments meet
// new ones, and has them count from there. Absolute numbers need no origin.
func (w *Wire) nameOrigin() {
	if w.run.sc.SeqOrigin == "" || w.run.cfg.AbsoluteSeq {
		return
	}
	w.segments.OneOrigin()
	w.Note("sequence numbers: %s", w.run.sc.SeqOrigin)
}
