package record

import "socklife/internal/timeline"

// Source is where events come from, one after the other; io.EOF is after the last.
type Source interface {
	Next() (timeline.Event, error)
}
