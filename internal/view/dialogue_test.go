package view

import (
	"io"
	"os"
	"strings"
	"testing"
)

// typist types a line whenever it is asked, and says when.
type typist struct {
	lines []string
	asked func()
}

func (t *typist) Read(p []byte) (int, error) {
	t.asked()
	if len(t.lines) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.lines[0])
	t.lines = t.lines[1:]
	return n, nil
}

// On a terminal, what came back is told from the rest, and what is told goes above the prompt.
func TestDialogue(t *testing.T) {
	var out strings.Builder
	d := NewDialogue(&out, Options{}, true)
	told, back := d.Told(&out), d.CameBack()
	user := &typist{lines: []string{"hello\n", "half"}, asked: func() { io.WriteString(told, "12:00:00.000    ESTABLISHED\n") }}
	in := d.Typed(user)
	read := func() {
		b := make([]byte, 100)
		n, _ := in.Read(b)
		back.Write(b[:n])
	}
	read()
	read()
	read()
	d.End()
	want := "> \r\x1b[K12:00:00.000    ESTABLISHED\n> " + "< hello\n" +
		"> \r\x1b[K12:00:00.000    ESTABLISHED\n> " + "\n< half" + // Ctrl-D: the terminal is still in that line
		"\n> \r\x1b[K12:00:00.000    ESTABLISHED\n> " + "\n"
	if out.String() != want {
		t.Errorf("shows  %q\nwanted %q", out.String(), want)
	}
}

// What comes while a line is waited for goes above the prompt; what is told when a line has not ended begins a new one.
func TestDialogueWhileNobodyTypes(t *testing.T) {
	var out strings.Builder
	d := NewDialogue(&out, Options{}, true)
	told, back := d.Told(&out), d.CameBack()
	io.WriteString(back, "two ")
	io.WriteString(back, "halves\nand")
	io.WriteString(told, "told\n")
	io.WriteString(back, " more\n")
	d.Typed(&typist{asked: func() { io.WriteString(back, "late\n"); d.End(); io.WriteString(told, "the end\n") }}).Read(nil)
	if want := "< two halves\n< and\ntold\n<  more\n> \r\x1b[K< late\n> \r\x1b[Kthe end\n"; out.String() != want {
		t.Errorf("shows  %q\nwanted %q", out.String(), want)
	}
}

// What came back does nothing to the terminal, and the letters of other scripts are left alone, also where a read cut
// them in two.
func TestDialogueIsHarmless(t *testing.T) {
	var out strings.Builder
	back := NewDialogue(&out, Options{}, false).CameBack()
	for _, part := range []string{"\x1b[31mred\x07\r\n", "a\tb\u009b1m\n", "z\xc5", "\xbc\xff\n", "\xc2", "\x9b1m\u202e\x9b2m\n", "end\xe2\x82\n"} {
		if n, err := io.WriteString(back, part); n != len(part) || err != nil {
			t.Errorf("%q: %d, %v", part, n, err)
		}
	}
	if want := `< \x1b[31mred\x07\r` + "\n< a\tb" + `\x9b1m` + "\n< zż" + `\xff` + "\n< " + `\x9b1m\u202e\x9b2m` + "\n< end" + `\xe2\x82` + "\n"; out.String() != want {
		t.Errorf("shows  %q\nwanted %q", out.String(), want)
	}
}

// Who has typed before he was asked is not asked: the line is on the screen.
func TestDialogueTypedAhead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var out strings.Builder
	d := NewDialogue(&out, Options{}, true)
	in, b := d.Typed(r), make([]byte, 10)
	io.WriteString(w, "early\n")
	in.Read(b)
	io.WriteString(d.Told(&out), "told\n")
	if want := "told\n"; out.String() != want {
		t.Errorf("shows  %q\nwanted %q", out.String(), want)
	}
}
