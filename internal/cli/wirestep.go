package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/lab"
	"socklife/internal/scenario"
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

// Hold is a scenario.WireConfig's Step: it returns when the sides are done, or with an error when the user quits.
func (s *wireStep) Hold(ctx context.Context, w *scenario.Wire) error {
	s.help()
	for ctx.Err() == nil {
		changed := w.Line().Changed()
		held := w.Line().Held()
		if len(held) == 0 {
			s.out.Answered()
			if err := s.idle(ctx, w, changed); err != nil {
				return err
			}
			continue
		}
		if err := s.decide(ctx, w, held, changed); err != nil {
			return err
		}
	}
	return nil
}

// idle waits until something is held. Meanwhile only keys that are not about a segment do anything.
func (s *wireStep) idle(ctx context.Context, w *scenario.Wire, changed <-chan struct{}) error {
	for {
		select {
		case key, open := <-s.keys:
			switch {
			case !open, key == 'q':
				return ErrInterrupted
			case key == 'a', key == 'i', key == 'h', key == '?':
				if err := s.act(w, key, 0); err != nil {
					return err
				}
			}
		case <-changed:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// decide asks about the first of what is held, and does as told. It asks anew when something else is held meanwhile.
func (s *wireStep) decide(ctx context.Context, w *scenario.Wire, held []lab.Packet, changed <-chan struct{}) error {
	w.Look()
	s.out.Ask(fmt.Sprintf("[%s]  %d held, next: %s ", w.States(), len(held), w.Describe(held[0])))
	select {
	case key, open := <-s.keys:
		defer s.out.Answered()
		if !open {
			return ErrInterrupted
		}
		return s.act(w, key, held[0].ID)
	case <-changed:
		return nil
	case <-ctx.Done():
		s.out.Answered()
		return nil
	}
}

// act does what one key says about the packet that was asked about. If that is not held any more, it was let go
// meanwhile: there is nothing to do.
func (s *wireStep) act(w *scenario.Wire, key byte, next uint64) error {
	line := w.Line()
	held := line.Held()
	switch key {
	case '\n', '\r', ' ':
		line.Release(next)
	case 'd':
		line.Drop(next)
	case 'u':
		line.Duplicate(next)
	case 'l':
		line.Delay(next, 300*time.Millisecond)
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
