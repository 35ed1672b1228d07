package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

const lineNonce = 8 // bytes

// place is a client's end of the line.
type place struct {
	d             *datagrams
	addr          netip.AddrPort // the server's
	local         netip.Addr
	nonce, cookie string
	name, speaks  string // what the server plays, and which dialogue
	turn          string
	wants         string // "step" is patient
}

// errNoLine: nobody answers there; the client connects as it is.
var errNoLine = errors.New("no line")

// enterLine asks for a place.
func enterLine(ctx context.Context, addr netip.AddrPort, scenario string, patient bool) (*place, error) {
	nonce := make([]byte, lineNonce)
	rand.Read(nonce)
	p := &place{addr: addr, nonce: hex.EncodeToString(nonce), cookie: "-"}
	var err error
	p.d, err = newDatagrams(addr, func(s *sockapi.Socket) error {
		if err := s.Connect(addr); err != nil {
			return err
		}
		local, err := s.Getsockname()
		p.local = tcpinfo.Canonical(local).Addr()
		return err
	})
	if err != nil {
		return nil, errNoLine
	}
	haste := "prompt"
	if patient {
		haste = "patient"
	}
	p.wants = fmt.Sprintf("wait %s %s %s", scenario, haste, p.local)
	for range lineTries {
		p.say(p.wants)
		if words, err := p.hear(ctx, lineAgain); err == nil && words[0] == "cookie" && len(words) == 4 {
			p.cookie, p.name, p.speaks = words[1], words[2], words[3]
			return p, nil
		} else if ctx.Err() != nil || errors.Is(err, unix.ECONNREFUSED) {
			break
		}
	}
	p.d.close()
	return nil, errNoLine
}

func (p *place) say(text string) {
	text = strings.Join([]string{lineBegins, p.nonce, p.cookie, text}, " ")
	unix.SendmsgN(p.d.fd, fmt.Appendf(nil, "%-*s", lineRequest, text), nil, nil, unix.MSG_DONTWAIT)
}

// hear waits for what the server says to this client.
func (p *place) hear(ctx context.Context, atMost time.Duration) ([]string, error) {
	for b, end := make([]byte, 512), time.Now().Add(atMost); ; {
		n, _, err := unix.Recvfrom(p.d.fd, b, unix.MSG_DONTWAIT)
		left := time.Until(end)
		switch words, ok := said(b[:max(n, 0)]); {
		case ok && err == nil && words[0] == p.nonce:
			return words[1:], nil
		case err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case left <= 0:
			return nil, unix.ETIMEDOUT
		case err != nil:
			p.d.comes(min(left, tick/5))
		}
	}
}

// await waits for the turn, and tells what it waits for.
func (p *place) await(ctx context.Context, tell func(string)) error {
	told, heard := "", time.Now()
	for {
		p.say(p.wants)
		for end := time.Now().Add(lineAgain); time.Now().Before(end); {
			words, err := p.hear(ctx, time.Until(end))
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, unix.ECONNREFUSED):
				return fmt.Errorf("the server at %s has ended, while this client waited for its turn", p.addr)
			case err != nil:
				continue
			}
			heard = time.Now()
			switch n, _ := strconv.Atoi(words[len(words)-1]); {
			case words[0] == "go" && len(words) > 1:
				p.turn = words[1]
				return nil
			case words[0] == "other":
				return errOther
			case words[0] == "cookie" && len(words) == 4: // another server is there now
				p.cookie, p.name, p.speaks = words[1], words[2], words[3]
				p.say(p.wants)
			case words[0] == "full" && told != words[0]:
				told = words[0]
				tell("waiting: there are too many clients for a place in the line; it is asked for again and again")
			case words[0] == "before" && told != before(n):
				told = before(n)
				tell(told)
			}
		}
		if time.Since(heard) > linePatience {
			return fmt.Errorf("the server at %s, at which this client waited for its turn, has not answered for %v", p.addr, linePatience)
		}
	}
}

// errOther: the server plays something else, with others.
var errOther = errors.New("another scenario")

// play tells the server, as long as the run goes on, that this client is there, and which connections are its own.
func (p *place) play(r *run) (end func()) {
	if p == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			p.say("here " + p.turn)
			for again := time.Now().Add(lineAgain); time.Now().Before(again) && ctx.Err() == nil; {
				words, err := p.hear(ctx, time.Until(again))
				if errors.Is(err, unix.ECONNREFUSED) {
					pauseUntil(ctx, again) // the run says what that means to it
				} else if err == nil {
					p.answer(r, words)
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func pauseUntil(ctx context.Context, t time.Time) {
	select {
	case <-time.After(time.Until(t)):
	case <-ctx.Done():
	}
}

func (p *place) answer(r *run, words []string) {
	switch {
	case words[0] == "whose" && len(words) == 3:
		says := "no"
		if addr, err := netip.ParseAddrPort(words[2]); err == nil && r.connectsFrom(addr) {
			says = "yes"
		}
		p.say("mine " + words[1] + " " + says)
	case words[0] == "over" && len(words) > 1 && words[1] == "stranger":
		r.cancel(ErrStranger)
	case words[0] == "over":
		r.cancel(fmt.Errorf("the server has ended this client's turn: %s", strings.Join(words[1:], " ")))
	}
}

// again asks whether a run that has failed is to be played once more, and returns what the server says: "again", or
// not; "refused" if it is not there any more, "" if it does not answer.
func (p *place) again(ctx context.Context) (says string) {
	for late := time.Now().Add(lineSilence); time.Now().Before(late) && ctx.Err() == nil; {
		p.say("failed " + p.turn)
		for end := time.Now().Add(lineAgain); time.Now().Before(end) && ctx.Err() == nil; {
			words, err := p.hear(ctx, time.Until(end))
			if err == nil && slices.Contains([]string{"again", "spoiled", "no"}, words[0]) {
				return words[0]
			} else if errors.Is(err, unix.ECONNREFUSED) {
				return "refused"
			}
		}
	}
	return ""
}

func (p *place) leave() {
	if p == nil {
		return
	}
	p.say("leave")
	p.d.close()
}

// connectsFrom tells whether that is the address of a socket of this run, or was.
func (r *run) connectsFrom(addr netip.AddrPort) bool {
	r.mu.Lock()
	open, is := append([]*Conn(nil), r.open...), r.from[addr]
	r.mu.Unlock()
	for _, c := range open {
		is = is || tcpinfo.Canonical(c.boundTo()) == addr
	}
	return is
}

// cameFrom remembers the address of a socket, which may be closed before somebody asks.
func (r *run) cameFrom(addr netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from[tcpinfo.Canonical(addr)] = true
}

// takeTurn has this client wait for its turn, if there is a line: in the place that it has, or a new one.
func (s *Side) takeTurn(p *place) (*place, error) {
	r := s.run
	if p == nil {
		var err error
		patient := r.cfg.Step != nil || r.cfg.Pace > 0 || r.cfg.Hold > 0
		if p, err = enterLine(r.ctx, s.Addr, r.sc.Name, patient); err != nil {
			return nil, nil
		}
	}
	s.place = p
	err := p.await(r.ctx, func(text string) {
		r.log.Add(timeline.Client, time.Time{}, &timeline.Note{Text: text})
		r.log.Flush()
	})
	if errors.Is(err, errOther) {
		err = s.otherServer(p.name)
	}
	return p, err
}

// explainedInLine is explained where the server has said already who it is.
func (s *Side) explainedInLine(err error) error {
	p, r := s.place, s.run
	says := p.again(r.outer)
	s.again = says == "again"
	switch {
	case s.again && errors.Is(err, ErrStranger):
		return err
	case s.again:
		return s.about(err, "%w, and this one is to play again", ErrStranger)
	case says == "spoiled":
		return s.about(err, "%w, again and again", ErrStranger)
	case p.name != r.sc.Name:
		return s.otherServer(p.name)
	case p.speaks != dialogue:
		return s.about(err, "at %s there is `echod %s` of another version: use the same at both ends", s.Addr, p.name)
	case says == "refused" && r.cfg.Experiment == "":
		return s.about(err, "nobody listens at %s any more: has the server ended, or was it killed?", s.Addr)
	}
	return err
}
