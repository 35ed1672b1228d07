package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"socklife/internal/ladder"
	"socklife/internal/outfile"
	"socklife/internal/timeline"
)

// Flags that say different things of what is printed, or nothing of a file, are refused.
func TestPicturesAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--mermaid", "--json"}, {"--mermaid", "--quiet"}, {"--mermaid", "--json", "--quiet"}, {"--svg", ""}, {"--svg", "-"}, {"--overwrite"},
	} {
		err := NewFlags("echoc").Parse(append(args, "close"))
		if Status(err) != ExitUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := NewFlags("echoc").Parse([]string{"--mermaid", "--svg", "run.svg", "--overwrite", "close"}); err != nil {
		t.Error(err)
	}
}

// pictured is a run that ends so, of which a file is drawn; it returns that file's text, or its absence.
func pictured(t *testing.T, ended, drawing error) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	p := &Pictures{}
	err := p.file("--svg", path, false, func(w io.Writer, l *ladder.Ladder) error {
		for _, s := range l.Steps {
			if note, is := s.Body.(*timeline.Note); is {
				io.WriteString(w, note.Text)
			}
		}
		return drawing
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Event(timeline.Event{Side: timeline.Client, Body: &timeline.Begin{}})
	p.Event(timeline.Event{Side: timeline.Client, Body: &timeline.Note{Text: "all of it"}})
	said := p.done(ended)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) > 1 || err != nil && len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return string(b), said
}

// A run that took place is drawn, also one that failed; one that did not leaves no file, nor does half a drawing.
func TestPicturesAreCompleteOrAbsent(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		ended, drawing error
		want           string
		err            error
	}{
		{nil, nil, "all of it", nil},
		{errors.New("a check was not met"), nil, "all of it", nil},
		{ErrInterrupted, nil, "all of it", nil},
		{Usagef("what?"), nil, "", nil},
		{nil, broken, "", broken},
	} {
		got, err := pictured(t, c.ended, c.drawing)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("a run that ended with %v: the file has %q, said %v", c.ended, got, err)
		}
	}
}

// A file that is there is left as it is, before anything is played.
func TestAPictureTakesNoFilesPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.svg")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Pictures{}
	if err := p.file("--svg", path, false, nil); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("said %v", err)
	}
	if b, _ := os.ReadFile(path); !bytes.Equal(b, []byte("mine")) {
		t.Errorf("it has %q now", b)
	}
	if err := p.file("--svg", path, true, nil); err != nil {
		t.Error(err)
	}
	p.discard()
}
