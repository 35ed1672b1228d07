package observe

import (
	"slices"
	"testing"
	"time"

	"socklife/internal/timeline"
	"socklife/internal/trace"
	"socklife/tcpinfo"
)

// Where the kernel lost transitions the timeline says so, at that place, though the next that it has is of somebody
// else's socket.
func TestAGapInTheTraceIsToldWhereItIs(t *testing.T) {
	rec := &record{}
	log := timeline.New(rec)
	at := time.Now()
	source := log.Source()
	log.Add(timeline.Wire, at.Add(time.Minute), &timeline.Note{Text: "later"})
	tr := &transitions{log: log, owners: &Owners{}}
	tr.event(trace.Event{Time: at, From: tcpinfo.Established, To: tcpinfo.FinWait1, Lost: 3})
	source.Done()
	var told []string
	for _, e := range rec.events {
		told = append(told, e.Body.(*timeline.Note).Text)
	}
	if want := []string{"at least 3 transitions are missing here: the kernel's trace buffer was full", "later"}; !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}
