package quiz_test

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"socklife/internal/quiz"
	"socklife/internal/stage"
	"socklife/internal/timeline"
)

func TestMain(m *testing.M) {
	stage.Worker()
	os.Exit(m.Run())
}

// record plays a scenario in this process, and keeps its events.
func record(t *testing.T, sc *stage.Scenario) []timeline.Event {
	t.Helper()
	var r quiz.Recorder
	log := timeline.New(&r)
	result := stage.Both(context.Background(), sc, stage.Config{Log: log, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	log.Close()
	if !result.OK() {
		t.Skipf("%s cannot be played here: %+v", sc.Name, result)
	}
	return r.Events
}
