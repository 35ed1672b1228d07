package course

import (
	"slices"
	"testing"

	"socklife/internal/scenario"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for _, name := range Advanced {
		if scenario.Find(name) == nil || slices.Contains(Lessons, name) || Mark(name) != Later {
			t.Errorf("%s: mark %c", name, Mark(name))
		}
	}
	for _, name := range Lessons {
		if Mark(name) != Core {
			t.Errorf("%s: mark %c", name, Mark(name))
		}
	}
	if m := Mark("fin-wait-1"); m != ' ' {
		t.Errorf("%c", m)
	}
}
