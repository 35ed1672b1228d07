package timeline

import "time"

// SinkFunc is a function as a Sink.
type SinkFunc func(Event)

// Event calls f.
func (f SinkFunc) Event(e Event) { f(e) }

// Start is the moment that at_us counts from.
func (l *Log) Start() time.Time { return l.zero }
