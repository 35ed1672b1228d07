package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/timeline"
	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// A client whose run has failed asks who is there, on a connection of its own, when the lesson is over: so it costs
// nothing where all goes well, and no segment of the lesson is another. A scenario's server says its name and goes on
// waiting for its client; an echo server gives the question back; where the server was killed nobody listens.

const who = "who\n"

// How long the one who asks waits: to be connected, and for the answer.
const (
	whoConnects = time.Second
	whoAnswers  = 3 * time.Second
	whoAsks     = time.Second // how long a server waits for the question that may come
	whoTries    = 20
)

// ErrAsked: who had connected wanted to know who is here, and nothing was played.
var ErrAsked = fmt.Errorf("%w: it asked who is here", ErrLeft)

// explained is the error of a client's run with what is found out about the other side, if that explains it.
func (s *Side) explained(err error) error {
	r := s.run
	if err == nil && r.failed == 0 || r.outer.Err() != nil {
		return err
	}
	if s.place != nil && (!ofThisSide(err) || errors.As(err, new(*sockapi.Error))) {
		return s.explainedInLine(err)
	}
	if ofThisSide(err) {
		return err
	}
	said, askErr := ask(r.outer, s.Addr)
	name, speaks, named := introduced(said)
	switch {
	case r.outer.Err() != nil:
		return context.Cause(r.outer)
	case said == who:
		return s.plainEcho()
	case named && name != r.sc.Name:
		return s.otherServer(name)
	case named && speaks != dialogue:
		return s.about(err, "at %s there is `echod %s` of another version: use the same at both ends", s.Addr, name)
	case named:
		return err // the right one: the reason is another
	case said != "":
		return s.about(err, "%w", s.Mismatch("at %s there is something that says %.20q", s.Addr, strings.TrimSpace(said)))
	case errors.Is(askErr, unix.ECONNREFUSED) && r.cfg.Experiment != "":
		return err // its run was the last
	case errors.Is(askErr, unix.ECONNREFUSED) && err == nil: // it was there to the end
		return fmt.Errorf("%w; nobody listens at %s any more: has the server ended, or was it killed?", s.failed(), s.Addr)
	case errors.Is(askErr, unix.ECONNREFUSED):
		return s.about(err, "nobody listens at %s any more: has the server ended, or was it killed?", s.Addr)
	}
	return s.about(err, "who is at %s does not say: is it `echod %s`, busy with another client?", s.Addr, r.sc.Name)
}

// ofThisSide tells of an error that has nothing to do with who is at the other end, or says by itself what has.
func ofThisSide(err error) bool {
	var blind *ObserverError
	if errors.Is(err, ErrMismatch) || errors.Is(err, context.Canceled) || errors.As(err, &blind) || unsupported.In(err) != nil {
		return true
	}
	var call *sockapi.Error
	return errors.As(err, &call) && slices.Contains([]string{"socket", "bind", "listen", "connect", "setsockopt", "getsockopt"}, call.Call)
}

// about says what was found out, and what came of it here.
func (s *Side) about(err error, format string, args ...any) error {
	if err == nil {
		err = s.failed()
	}
	return fmt.Errorf("%w (here: %w)", fmt.Errorf(format, args...), err)
}

// failed is the error of a run in which checks failed, and nothing else.
func (s *Side) failed() error {
	return fmt.Errorf("%d of %d checks failed", s.run.failed, s.run.checks)
}

// ask asks who listens at an address, and returns the line that was the answer. Of a process that is dying the listener
// may be the last that goes, and its queue with it: so whoever breaks off without a word is asked again.
func ask(ctx context.Context, addr netip.AddrPort) (said string, err error) {
	for range whoTries {
		said, err = askOnce(ctx, addr)
		if said != "" || !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.EPIPE) && !errors.Is(err, io.EOF) {
			break
		}
		select {
		case <-time.After(tick):
		case <-ctx.Done():
		}
	}
	return said, err
}

func askOnce(ctx context.Context, addr netip.AddrPort) (said string, err error) {
	family := unix.AF_INET6
	if addr.Addr().Is4() {
		family = unix.AF_INET
	}
	sock, err := sockapi.NewSocket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, nil)
	if err != nil {
		return "", err
	}
	defer sock.Close()
	if err := sock.Connect(addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return "", err
	}
	if !comes(ctx, sock, unix.POLLOUT, whoConnects) {
		return "", unix.ETIMEDOUT
	}
	if errno, err := sockapi.SO_ERROR.Get(sock); errno != 0 || err != nil {
		return "", errors.Join(errnoError(errno), err)
	}
	if _, err := sock.Send([]byte(who), unix.MSG_NOSIGNAL); err != nil {
		return "", err
	}
	for b := make([]byte, lineLimit); !strings.Contains(said, "\n") && len(said) < lineLimit; {
		if !comes(ctx, sock, unix.POLLIN, whoAnswers) {
			return said, unix.ETIMEDOUT
		}
		n, err := sock.Recv(b, 0)
		if said += string(b[:n]); err != nil {
			return said, err
		} else if n == 0 {
			return said, io.EOF
		}
	}
	return said, nil
}

func errnoError(e unix.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// comes waits for one of the events, or an error, to be there.
func comes(ctx context.Context, s *sockapi.Socket, events int16, atMost time.Duration) bool {
	for end := time.Now().Add(atMost); time.Now().Before(end) && ctx.Err() == nil; {
		if polled(s, events, tick) {
			return true
		}
	}
	return false
}

// answered tells whether that is the question, and answers it.
func (s *Side) answered(c *Conn, line string) bool {
	if s.run.both || s.Name != timeline.Server || !strings.HasPrefix(line+"\n", who) {
		return false
	}
	if !s.refuse(c) {
		return true
	}
	s.Note("%s asks who is here: its run has failed; it is told, and we wait for the next client", c.Remote())
	return true
}

// refuse tells a client which scenario this is, unless it was told. That is not a call of the lesson.
func (s *Side) refuse(c *Conn) bool {
	if !c.refused.CompareAndSwap(false, true) {
		return false
	}
	c.sock.Untraced().Send(s.refusal(), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	return true
}

// strangers looks whether a server that waits for something else has a visitor who asks, or who plays something else:
// its lesson may not begin with a request, or not yet.
func (s *Side) strangers() error {
	s.run.mu.Lock()
	open := slices.Clone(s.run.accepted)
	s.run.mu.Unlock()
	for _, c := range open {
		line, _, _ := strings.Cut(string(c.saidFirst()), "\n")
		if name, _, ok := parseRequest(line); ok && name != s.run.sc.Name && !s.asked.Load() {
			s.refuse(c)
			return s.wrongClient(line)
		}
		if s.answered(c, line) {
			return s.interruptedBy(c)
		}
	}
	return nil
}

// interruptedBy is the error of a run that ended with the question. If it had begun with somebody else, then it was
// that one's, whose client is no longer played.
func (s *Side) interruptedBy(c *Conn) error {
	if s.run.visitors() > 1 {
		return ofClient(ErrGone, c.Remote())
	}
	return ofClient(ErrAsked, c.Remote())
}
