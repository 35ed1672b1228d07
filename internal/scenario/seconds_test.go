package scenario

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"socklife/internal/stage"
)

// takesItsSeconds says whether a run takes as long as the catalogue has it. A busy machine makes it longer: the time in
// which something waited for a CPU is taken off, and a run that was too long all the same is played again. It may also
// be shorter: which of the kernel's timers is waited for depends on what was first.
func takesItsSeconds(t *testing.T, sc *stage.Scenario, cfg stage.Config, took, heldUp time.Duration) {
	t.Helper()
	said := time.Duration(sc.Seconds) * time.Second
	for range 5 {
		if took-heldUp < said+time.Second {
			break
		}
		begin, before := time.Now(), waitedForCPU(t)
		play(t.Context(), sc, cfg)
		took, heldUp = time.Since(begin), waitedForCPU(t)-before
	}
	if took-heldUp >= said+time.Second {
		t.Errorf("it takes %s, of which something on this machine waited %s for a CPU, and the catalogue says %d s", took, heldUp, sc.Seconds)
	}
	if waits := os.Getuid() == 0 || !sc.MoreAsRoot; waits && took < said*7/10 {
		t.Errorf("it takes no more than %s, and the catalogue says %d s", took, sc.Seconds)
	}
}

// waitedForCPU is how long, since the machine is up, something on it has waited for a CPU (/proc/pressure/cpu); 0 where
// the kernel does not say.
func waitedForCPU(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	some, _, _ := strings.Cut(string(b), "\n")
	_, total, _ := strings.Cut(some, "total=")
	us, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return time.Duration(us) * time.Microsecond
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
