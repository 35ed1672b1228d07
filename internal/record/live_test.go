package record

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"socklife/internal/lesson"
	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/internal/view"
)

func TestMain(m *testing.M) {
	stage.Worker()
	os.Exit(m.Run())
}

// kept are the events as whoever sees them live has them.
type kept []timeline.Event

func (k *kept) Event(e timeline.Event) { *k = append(*k, e) }

// shown is what a view makes of events, all at once: it waits for nothing.
func shown(events []timeline.Event, o view.Options) string {
	var b, lines bytes.Buffer
	o.Recorded = true
	v := view.New(&b, o)
	n := view.NewNarrator(&lines, o)
	for _, e := range events {
		v.Event(e)
		n.Event(e)
	}
	v.Flush()
	return b.String() + lines.String()
}

// What every view draws of a run is what it draws of its record: nothing that it needs is not written down.
func TestAReadEventIsDrawnAsALiveOne(t *testing.T) {
	for _, sc := range scenario.All() {
		if sc.OnlyWire || testing.Short() && sc.Name > "close" {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.jsonl")
			w, err := Create(path, false, Here(timeline.Record{Sides: []timeline.Side{timeline.Client, timeline.Server}, Title: sc.Name}, "echoc v", nil))
			if err != nil {
				t.Fatal(err)
			}
			var live kept
			log := timeline.New(&live, w)
			result := stage.Both(context.Background(), sc, stage.Config{Log: log, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
			if log.Close(); unsupported.In(result.Err) != nil || errors.Is(result.Err, stage.ErrNeedsWire) {
				t.Skip(result.Err)
			}
			if err := w.Commit(); err != nil {
				t.Fatal(err)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			r, err := NewReader(path, file)
			if err != nil {
				t.Fatal(err)
			}
			var read kept
			for err == nil {
				var e timeline.Event
				if e, err = r.Next(); err == nil {
					read = append(read, e)
				}
			}
			if err != io.EOF || len(read) != len(live) {
				t.Fatalf("%d events of %d: %v", len(read), len(live), err)
			}
			for _, o := range []view.Options{{Width: 80}, {Width: 120, All: true, Color: true}, {Width: 50, Wall: true}, {Width: 80, Alone: timeline.Client, ManyConns: true, Own: timeline.Server}} {
				o.Title, o.Words = sc.Name, lesson.Of(sc.Name)
				if was, is := shown(live, o), shown(read, o); was != is {
					a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
					for i := range min(len(a), len(b)) {
						if a[i] != b[i] {
							t.Errorf("line %d of %d, %d:\n%s\n%s", i, len(a), len(b), a[i], b[i])
							break
						}
					}
				}
			}
		})
	}
}
