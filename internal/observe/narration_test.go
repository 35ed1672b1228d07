package observe

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
)

// A plain run whose sock_diag fails says that states may be missing.
func TestANarrationThatCannotLook(t *testing.T) {
	rec := &record{}
	log := timeline.New(rec)
	n, err := Narrate(timeline.Server, Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, n.Tracer)
	if err != nil {
		t.Fatal(err)
	}
	n.Follow(s)
	n.diag.Close()
	s.Close()
	n.Close()
	log.Close()
	for _, e := range rec.events {
		if note, ok := e.Body.(*timeline.Note); ok && strings.Contains(note.Text, "states may be missing") {
			return
		}
	}
	t.Errorf("no note in %d events", len(rec.events))
}
