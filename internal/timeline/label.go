package timeline

// Label is what a lesson calls the socket that an event is of, and whether that socket is beside the lesson. It is the
// program's word, and not the kernel's.
type Label struct {
	Name  string `json:"name,omitempty"`
	Aside bool   `json:"aside,omitempty"` // it serves the sides to agree on what comes next, and nothing else
}

// LabelOf is where an event of a socket, or of its segments, has its label; nil of other events.
func LabelOf(b Body) *Label {
	switch b := b.(type) {
	case *Enter:
		return &b.Label
	case *Call:
		return &b.Label
	case *State:
		return &b.Label
	case *Queue:
		return &b.Label
	case *Segment:
		return &b.Label
	}
	return nil
}

// SetLabels has f label what is added, as it is added; nil labels nothing. f must not call the log.
func (l *Log) SetLabels(f func(Side, Body)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.labels = f
}
