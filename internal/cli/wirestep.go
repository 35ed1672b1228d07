package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"socklife/internal/lab"
	"socklife/internal/stage"
)

// wireStep lets the user decide about each segment on the wire, with one key for each.
type wireStep struct {
	keys  <-chan byte
	out   *screen
	begin func() // shows the title
}

var wireKeys = []string{
	"You hold the wire: every segment waits for your key.",
	"  Enter  deliver it        l  deliver it 300 ms later  h  list what is held",
	"  d      drop it           r  swap it with the next    i  both sockets in full",
	"  u      duplicate it      a  let all go from now on   q  quit",
	"  c      drop the copies of what is held, sent again meanwhile",
	"The kernels do not wait for you: what is not acknowledged in time they send again, and again after twice that time. c clears that away.",
}

// newWireStep reads keys from the terminal as they are pressed; restore gives the terminal back as it was.
func newWireStep(in *os.File, out Output) (s *wireStep, restore func()) {
	board := takeKeyboard(in)
	unguarded := board.guard()
	end := onStop(func() {
		out.screen.Hide()
		board.giveBack()
	}, func() {
		board.take()
		out.screen.Redraw()
	})
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
	return &wireStep{keys, out.screen, out.head}, func() { end(); board.giveBack(); unguarded() }
}

// Hold is a stage.WireConfig's Step: it returns when the sides are done, or with an error when the user quits.
// It asks about the first of what is held, and anew when something else is held meanwhile.
func (s *wireStep) Hold(ctx context.Context, w *stage.Wire) error {
	s.begin()
	s.help()
	defer s.out.Answered()
	for ctx.Err() == nil {
		changed := w.Line().Changed()
		held := w.Line().Held()
		if len(held) > 0 {
			w.Look()
			s.ask(w, held)
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

// ask is the status line: the segment first, then what its ends are in.
func (s *wireStep) ask(w *stage.Wire, held []lab.Packet) {
	parts := append([]string{w.Brief(held[0])}, w.States()...)
	s.out.Ask(append(parts, fmt.Sprintf("%d held", len(held)), "? q")...)
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
		s.done(line.Drop(asked[0].ID), "dropped: "+w.Brief(asked[0]))
	case 'u':
		_, err := line.Duplicate(asked[0].ID)
		s.done(err, "duplicated, and both are held: "+w.Brief(asked[0]))
	case 'l':
		s.done(line.Delay(asked[0].ID, 300*time.Millisecond), "delayed 300 ms: "+w.Brief(asked[0]))
	case 'r':
		if len(held) < 2 {
			s.out.Say("  there is no other to reorder it with yet")
			break
		}
		s.done(line.Swap(held[0].ID, held[1].ID), "goes after the next: "+w.Brief(held[0]))
	case 'c':
		s.clear(w, held)
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
		s.out.Say("  all is let go from now on")
	case 'q':
		return ErrInterrupted
	default:
		s.help()
	}
	return nil
}

// done says what a key has done. What was not held any more it has done nothing about.
func (s *wireStep) done(err error, what string) {
	if err == nil {
		s.out.Say("  " + what)
	}
}

// clear drops what is held though the same was held before it.
func (s *wireStep) clear(w *stage.Wire, held []lab.Packet) {
	dropped := 0
	for i, p := range held {
		if sentBefore(held[:i], p) && w.Line().Drop(p.ID) == nil {
			dropped++
		}
	}
	s.out.Say(fmt.Sprintf("  dropped what was sent again: %d", dropped))
}

// sentBefore tells whether a packet repeats numbers that one of those before it has.
func sentBefore(list []lab.Packet, p lab.Packet) bool {
	return p.Again && slices.ContainsFunc(list, func(q lab.Packet) bool {
		return q.From == p.From && q.ICMP == nil && q.Segment.Src == p.Segment.Src && q.Segment.Dst == p.Segment.Dst &&
			q.Segment.Seq == p.Segment.Seq && q.Segment.SeqLen() == p.Segment.SeqLen()
	})
}

func (s *wireStep) help() {
	s.out.Say(wireKeys...)
}
