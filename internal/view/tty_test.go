package view

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// openTerminal is a terminal of a width, without anybody in front of it.
func openTerminal(t *testing.T, columns int) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: mount devpts (%v)", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: mount devpts (%v)", err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	return slave
}

func openFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWidth(t *testing.T) {
	t.Setenv("COLUMNS", "66")
	if got := Width(openTerminal(t, 93)); got != 93 {
		t.Errorf("a terminal of 93 columns has %d", got)
	}
	file := openFile(t)
	for columns, want := range map[string]int{"66": 66, "": DefaultWidth, "0": DefaultWidth, "wide": DefaultWidth} {
		t.Setenv("COLUMNS", columns)
		if got := Width(file); got != want {
			t.Errorf("with COLUMNS=%s a file has %d columns, want %d", columns, got, want)
		}
	}
}

func TestUseColor(t *testing.T) {
	terminal, file := openTerminal(t, 80), openFile(t)
	for _, c := range []struct {
		mode, noColor, term string
		f                   *os.File
		want                bool
	}{
		{"auto", "", "xterm", terminal, true},
		{"auto", "", "xterm", file, false},
		{"auto", "1", "xterm", terminal, false},
		{"auto", "", "dumb", terminal, false},
		{"always", "1", "dumb", file, true},
		{"never", "", "xterm", terminal, false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := UseColor(c.mode, c.f); got != c.want {
			t.Errorf("%s, NO_COLOR=%q, TERM=%s, terminal %v: %v, want %v", c.mode, c.noColor, c.term, c.f == terminal, got, c.want)
		}
	}
	// What was decided for the stream holds, whatever the colour package thinks of standard output.
	t.Setenv("NO_COLOR", "1")
	var b bytes.Buffer
	halfClose().show(newTerminal(&b, Options{Color: true}))
	if !strings.Contains(b.String(), "\x1b[") {
		t.Error("no colour in spite of Options.Color")
	}
}

func TestUTF8(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false},
		{"", "", "C.UTF-8", true},
		{"", "", "de_DE.utf8", true},
		{"", "", "de_DE", false},
		{"C", "", "C.UTF-8", false},
		{"", "POSIX", "C.UTF-8", false},
		{"", "C.UTF-8", "C", true},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		if got := UTF8(); got != c.want {
			t.Errorf("LC_ALL=%q LC_CTYPE=%q LANG=%q: %v", c.all, c.ctype, c.lang, got)
		}
	}
}

// full is a disk with no room left.
type full struct{ writes int }

var errFull = errors.New("no space left on device")

func (f *full) Write([]byte) (int, error) {
	f.writes++
	return 0, errFull
}

func TestTheFirstWriteErrorIsKeptAndEndsWriting(t *testing.T) {
	for name, open := range map[string]func(*full) View{
		"Terminal":  func(f *full) View { return New(f, Options{}) },
		"Narrator":  func(f *full) View { return NewNarrator(f, Options{}) },
		"JSONLines": func(f *full) View { return NewJSONLines(f) },
	} {
		var f full
		v := open(&f)
		if v.Err() != nil {
			t.Errorf("%s: an error before the first event", name)
		}
		halfClose().show(v)
		if v.Err() != errFull || f.writes != 1 {
			t.Errorf("%s: %v after %d writes, want %v after 1", name, v.Err(), f.writes, errFull)
		}
	}
}

// lines hands over what is written.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func next(t *testing.T, l lines) string {
	t.Helper()
	select {
	case s := <-l:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was written for 10 s")
		return ""
	}
}

// A state stands alone if nothing follows: nobody has to wait for the next call to see it.
func TestAStateIsShownSoonWithoutAnythingFollowing(t *testing.T) {
	out := make(lines, 10)
	term := New(out, Options{})
	for range 3 {
		term.Event(timeline.Event{Side: C, Body: st(tcpinfo.Established, tcpinfo.FinWait2, client)})
		if got := next(t, out); !strings.Contains(got, "FIN-WAIT-2") {
			t.Errorf("got %q", got)
		}
	}
	if err := term.Err(); err != nil {
		t.Error(err)
	}
}

func TestFlushShowsWhatWaits(t *testing.T) {
	var b bytes.Buffer
	term := newTerminal(&b, Options{})
	term.Event(timeline.Event{Side: C, Body: st(tcpinfo.Established, tcpinfo.FinWait2, client)})
	if b.Len() != 0 {
		t.Errorf("shown at once: %q", b.String())
	}
	term.Flush()
	if !strings.Contains(b.String(), "FIN-WAIT-2") {
		t.Errorf("after Flush there is %q", b.String())
	}
}
