package figure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each sample is drawn as it was when somebody looked at it.
func TestGolden(t *testing.T) {
	for _, name := range samples {
		l := sample(t, name)
		golden(t, name+".md.golden", drawn(t, func(b *strings.Builder) error { return Mermaid(b, l, Options{}) }))
		golden(t, name+".svg.golden", drawn(t, func(b *strings.Builder) error { return SVG(b, l, Options{}) }))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s, line %d is not as in the file (go test -update writes it anew)\ngot  %q\nwant %q", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", path, len(g), len(w))
}
