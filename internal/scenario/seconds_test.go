package scenario

import (
	"os"
	"testing"
	"time"

	"socklife/internal/stage"
)

// takesItsSeconds says whether a run takes as long as the catalogue has it. A busy machine makes it longer: where the
// first run was too long it is played again, and the shortest counts. It may also be shorter: which of the kernel's
// timers is waited for depends on what was first.
func takesItsSeconds(t *testing.T, sc *stage.Scenario, cfg stage.Config, took time.Duration) {
	t.Helper()
	said := time.Duration(sc.Seconds) * time.Second
	for range 5 {
		if took < said+time.Second {
			break
		}
		begin := time.Now()
		play(t.Context(), sc, cfg)
		took = min(took, time.Since(begin))
	}
	if took >= said+time.Second {
		t.Errorf("it takes %s, and the catalogue says %d s", took, sc.Seconds)
	}
	if waits := os.Getuid() == 0 || !sc.MoreAsRoot; waits && took < said*7/10 {
		t.Errorf("it takes no more than %s, and the catalogue says %d s", took, sc.Seconds)
	}
}

// NeedsRoot and OnlyWire are two reasons for which an ordinary user may be refused, and the index has room for one.
func TestPrivilegesAreOne(t *testing.T) {
	t.Parallel()
	for _, sc := range All() {
		if sc.OnlyWire && (sc.NeedsRoot || sc.MoreAsRoot) || sc.NeedsRoot && sc.MoreAsRoot {
			t.Errorf("%s: what does it need?", sc.Name)
		}
	}
}
