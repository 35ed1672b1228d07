package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/lab"
	"socklife/internal/stage"
)

// wireStep lets the user decide about each segment on the wire, with one key for each.
type wireStep struct {
	keys <-chan byte
	out  *screen
}

var wireKeys = []string{
	"You hold the wire: every segment waits for your key.",
	"  Enter  deliver it        l  deliver it 300 ms later  h  list what is held",
	"  d      drop it           r  swap it with the next    i  both sockets in full",
	"  u      duplicate it      a  let all go from now on   q  quit",
}

// newWireStep reads keys from the terminal as they are pressed; restore gives the terminal back as it was.
func newWireStep(in *os.File, out *screen) (s *wireStep, restore func()) {
	restore = cbreak(in)
	keys := make(chan byte)
	go func() {
		defer close(keys)
		b := make([]byte, 1)
		for {
			if n, err := in.Read(b); n != 1 || err != nil {
				return
			}
			keys <- b[0]
		}
	}()
	return &wireStep{keys, out}, restore
}

// cbreak has the terminal give each key at once and not show it. Ctrl-C keeps its meaning.
func cbreak(f *os.File) (restore func()) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	t := *before
	t.Lflag &^= unix.ICANON | unix.ECHO
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	unix.IoctlSetTermios(fd, unix.TCSETS, &t)
	return func() { unix.IoctlSetTermios(fd, unix.TCSETS, before) }
}

// Hold is a stage.WireConfig's Step: it returns when the sides are done, or with an error when the user quits.
// It asks about the first of what is held, and anew when something else is held meanwhile.
func (s *wireStep) Hold(ctx context.Context, w *stage.Wire) error {
	s.help()
	defer s.out.Answered()
	for ctx.Err() == nil {
		changed := w.Line().Changed()
		held := w.Line().Held()
		if len(held) > 0 {
			w.Look()
			s.out.Ask(fmt.Sprintf("[%s]  %d held, next: %s ", w.States(), len(held), w.Describe(held[0])))
		} else {
			s.out.Answered()
		}
		select {
		case key, open := <-s.keys:
			if !open {
				return ErrInterrupted
			}
			if err := s.act(w, key, held); err != nil {
				return err
			}
			s.out.Answered()
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}

// act does what one key says about the first of what was held when it was asked. If that is not held any more, it was
// let go meanwhile: there is nothing to do. While nothing is held only keys that are not about a segment do anything.
func (s *wireStep) act(w *stage.Wire, key byte, asked []lab.Packet) error {
	if len(asked) == 0 && !strings.ContainsRune("aih?q", rune(key)) {
		return nil
	}
	line := w.Line()
	held := line.Held()
	switch key {
	case '\n', '\r', ' ':
		line.Release(asked[0].ID)
	case 'd':
		line.Drop(asked[0].ID)
	case 'u':
		line.Duplicate(asked[0].ID)
	case 'l':
		line.Delay(asked[0].ID, 300*time.Millisecond)
	case 'r':
		if len(held) < 2 {
			s.out.Say("  there is no other to reorder it with yet")
			break
		}
		line.Swap(held[0].ID, held[1].ID)
	case 'h':
		for _, p := range held {
			s.out.Say(fmt.Sprintf("  %3d  %s", p.ID, w.Describe(p)))
		}
	case 'i':
		for _, text := range w.Sockets() {
			s.out.Say("  " + text)
		}
	case 'a':
		line.LetGo()
	case 'q':
		return ErrInterrupted
	default:
		s.help()
	}
	return nil
}

func (s *wireStep) help() {
	for _, line := range wireKeys {
		s.out.Say(line)
	}
}
