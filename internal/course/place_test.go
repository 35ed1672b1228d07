package course

import (
	"os"
	"path/filepath"
	"testing"

	"socklife/internal/scenario"
)

func TestEveryLessonIsAScenarioOfThisHost(t *testing.T) {
	for i, l := range Lessons {
		if sc := scenario.Find(l); sc == nil || sc.OnlyWire {
			t.Errorf("%s is not one", l)
		}
		if at, found := Find(l); !found || at != i {
			t.Errorf("%s is found at %d", l, at)
		}
	}
}

func TestPlace(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	for _, want := range []int{0, 3, len(Lessons)} {
		if err := Remember(want); err != nil {
			t.Fatal(err)
		}
		if got, err := Place(); got != want || err != nil {
			t.Errorf("got %d (%v), want %d", got, err, want)
		}
	}
	if left, err := os.ReadDir(filepath.Join(state, "socklife")); err != nil || len(left) != 1 {
		t.Errorf("beside the file there is something else: %v %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(state, "socklife", "learn"), []byte("no such lesson\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Place(); got != 0 || err != nil {
		t.Errorf("what is no lesson: %d, %v", got, err)
	}
}

// TestPlaceAtHome: a path that is not absolute is ignored, as the XDG Base Directory Specification has it.
func TestPlaceAtHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", "state")
	t.Setenv("HOME", home)
	if err := Remember(1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(home, ".local", "state", "socklife", "learn")); err != nil {
		t.Error(err)
	}
	t.Setenv("HOME", "")
	if _, err := Place(); err == nil {
		t.Error("there is no place to remember it")
	}
}
