package ladder

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"socklife/internal/timeline"
)

// Whatever a record has: all its events are rows, in their order, and an arrow is among them or behind the last; also
// while it goes on.
func FuzzOf(f *testing.F) {
	for _, r := range []*run{connected(), connected().call(timeline.Client, "close 0").state(timeline.Server, 1, 8, 1, 0), listening().call(timeline.Client, "connect -1 ECONNREFUSED")} {
		var lines []byte
		for _, e := range r.events {
			line, err := json.Marshal(e)
			if err != nil {
				f.Fatal(err)
			}
			lines = append(append(lines, line...), '\n')
		}
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		var events []timeline.Event
		for line := range bytes.Lines(lines) {
			var e timeline.Event
			if json.Unmarshal(line, &e) == nil {
				events = append(events, e)
			}
		}
		var joiner timeline.Joiner
		for _, e := range events {
			joiner.Join(e)
		}
		var kept []int64
		for _, s := range Of(Head{}, events).Steps {
			if _, entry := s.Body.(*timeline.Enter); s.Body != nil && !entry {
				kept = append(kept, s.Seq)
			}
		}
		var want []int64
		for _, e := range events {
			if _, entry := e.Body.(*timeline.Enter); !entry {
				want = append(want, e.Seq)
			}
		}
		if !slices.Equal(kept, want) {
			t.Errorf("kept %v, want %v", kept, want)
		}
		live := NewLive()
		var rows []Row
		for _, e := range events {
			rows = append(rows, live.Next(e)...)
		}
		kept = nil
		for _, r := range append(rows, live.Flush()...) {
			if _, entry := r.Body.(*timeline.Enter); r.Body != nil && !entry {
				kept = append(kept, r.Seq)
			}
		}
		if !slices.Equal(kept, want) || live.Keeps() {
			t.Errorf("while it goes on: %v, want %v", kept, want)
		}
	})
}
