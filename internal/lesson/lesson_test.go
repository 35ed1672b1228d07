package lesson

import (
	"reflect"
	"testing"
)

func TestAfter(t *testing.T) {
	t.Parallel()
	w := Words{Question: "Why?", Next: "`echoc --wire close` (the segments)"}
	if got := w.After([]string{"--wire", "close"}); got != (Words{Question: "Why?"}) {
		t.Errorf("%+v: the same run is its own next", got)
	}
	if got := w.After([]string{"close"}); got != w {
		t.Errorf("%+v", got)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	page := "# a: b\n\nAbout: it.\n\n## In short\n\n- Question: Why: how?\n- Watch: the timer.\n- In production: it `is`.\n\n## See it\n\n- Seen: no.\n"
	want := Words{Question: "Why: how?", Watch: "the timer.", Production: "it `is`."}
	if got := read(page); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, none := range []string{"", "../README", "no-such"} {
		if got := Of(none); got != (Words{}) {
			t.Errorf("%s: %+v", none, got)
		}
	}
}
