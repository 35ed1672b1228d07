package view

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Dialogue is a terminal on which somebody types, sees what comes back, and is told of the connection meanwhile. What
// comes back begins with "<". Where somebody types, a ">" waits in the last line, and the rest goes above it.
type Dialogue struct {
	mu      sync.Mutex
	w       io.Writer
	p       palette
	prompts bool
	waiting bool // for a line
	asking  bool // the prompt is the last line
	within  bool // the last line is one that came back, and has not ended
	letters harmless
}

// NewDialogue returns a dialogue on the terminal w; of the options it uses Color.
func NewDialogue(w io.Writer, o Options, prompts bool) *Dialogue {
	return &Dialogue{w: w, p: newPalette(o.Color), prompts: prompts}
}

// Told is where lines about the connection go: to another writer of the same terminal.
func (d *Dialogue) Told(w io.Writer) io.Writer { return told{d, w} }

// CameBack is where what came back goes.
func (d *Dialogue) CameBack() io.Writer { return cameBack{d} }

// Typed is what is read from r, the terminal's other end.
func (d *Dialogue) Typed(r io.Reader) io.Reader { return typed{d, r} }

// End takes the prompt away: nothing that is typed is sent any more.
func (d *Dialogue) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
	d.waiting = false
}

// clear makes the last line an empty one.
func (d *Dialogue) clear() {
	switch {
	case d.asking:
		io.WriteString(d.w, "\r\x1b[K")
	case d.within:
		io.WriteString(d.w, d.letters.rest()+"\n")
	}
	d.asking, d.within = false, false
}

// ask shows the prompt, where a line is waited for.
func (d *Dialogue) ask() {
	if d.waiting && d.prompts {
		d.clear()
		io.WriteString(d.w, d.p.paint(text(nil).add(dim, ">"))+" ")
		d.asking = true
	}
}

type told struct {
	d *Dialogue
	w io.Writer
}

func (t told) Write(lines []byte) (int, error) {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	t.d.clear()
	n, err := t.w.Write(lines)
	t.d.ask()
	return n, err
}

type cameBack struct{ d *Dialogue }

func (c cameBack) Write(data []byte) (int, error) {
	d := c.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asking {
		d.clear()
	}
	var b bytes.Buffer
	for line := range bytes.Lines(data) {
		if !d.within {
			b.WriteString(d.p.paint(text(nil).add(serverHue, "<")) + " ")
		}
		rest, ended := bytes.CutSuffix(line, []byte("\n"))
		if b.WriteString(d.letters.show(rest)); ended {
			b.WriteString(d.letters.rest() + "\n")
		}
		d.within = !ended
	}
	if _, err := d.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	d.ask()
	return len(data), nil
}

// harmless shows what is no letter instead of having the terminal obey it: control characters, those that turn the
// direction of a line, and bytes that are no UTF-8. A tab is none. It keeps a letter of which only a part has come.
type harmless struct{ part []byte }

func (h *harmless) show(data []byte) string {
	var b bytes.Buffer
	data = append(h.part, data...)
	for h.part = nil; len(data) > 0; {
		r, n := utf8.DecodeRune(data)
		switch {
		case !utf8.FullRune(data):
			h.part = bytes.Clone(data)
			return b.String()
		case r == '\t' || r == '\n':
			b.WriteRune(r)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ', r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, data[0])
		case !unicode.IsGraphic(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.Write(data[:n])
		}
		data = data[n:]
	}
	return b.String()
}

// rest is the part of a letter that nothing has followed.
func (h *harmless) rest() string {
	var b bytes.Buffer
	for _, c := range h.part {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	h.part = nil
	return b.String()
}

// Harmless is a writer to a terminal that does nothing to it, whatever is written.
func Harmless(w io.Writer) io.Writer { return &harmlessWriter{w: w} }

type harmlessWriter struct {
	w io.Writer
	harmless
}

func (h *harmlessWriter) Write(data []byte) (int, error) {
	if _, err := io.WriteString(h.w, h.show(data)); err != nil {
		return 0, err
	}
	return len(data), nil
}

// typedAhead tells whether a line is there to be read.
func typedAhead(r io.Reader) bool {
	f, is := r.(*os.File)
	if !is {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

type typed struct {
	d *Dialogue
	r io.Reader
}

func (t typed) Read(p []byte) (int, error) {
	t.d.mu.Lock()
	if !typedAhead(t.r) { // or else its line is on the screen already
		t.d.waiting = true
		t.d.ask()
	}
	t.d.mu.Unlock()
	n, err := t.r.Read(p)
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.d.asking && (n == 0 || p[n-1] != '\n') { // Ctrl-D: nobody pressed Enter
		io.WriteString(t.d.w, "\n")
	}
	t.d.waiting, t.d.asking = false, false
	return n, err
}
