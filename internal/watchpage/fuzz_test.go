package watchpage

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"socklife/internal/record"
)

// Of whatever can be read a page is made that has nothing but text in it.
func FuzzPage(f *testing.F) {
	text, err := os.ReadFile("../watchlog/testdata/watch.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	head := bytes.SplitAfter(text, []byte("\n"))[0]
	for line := range strings.Lines(string(text)) {
		f.Add([]byte(line))
		f.Add([]byte(strings.ReplaceAll(line, "python3", `</td><script src=x>\u0000\u202e`)))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		r, err := record.NewReader("FILE", bytes.NewReader(append(bytes.Clone(head), lines...)))
		if err != nil {
			t.Fatal(err)
		}
		p := New(r.About.Title, r.About.Kernel)
		for err == nil {
			e, bad := r.Next()
			if err = bad; err == nil {
				p.Event(e)
			}
		}
		if err != io.EOF && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
		read(t, written(t, p))
	})
}
