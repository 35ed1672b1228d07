package tcpinfo

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeKernel answers requests as it is told to, without a kernel.
type fakeKernel struct {
	// answer makes the datagrams that a request is answered with.
	answer  func(seq uint32, request []byte) []datagram
	waiting []datagram
	sent    int
	drained int
	sendErr error
}

type datagram struct {
	b   []byte
	err error
}

func (k *fakeKernel) send(b []byte) error {
	k.sent++
	if k.sendErr != nil {
		return k.sendErr
	}
	k.waiting = append(k.waiting, k.answer(native.Uint32(b[8:]), b)...)
	return nil
}

func (k *fakeKernel) recv(b []byte) (int, error) {
	if len(k.waiting) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	d := k.waiting[0]
	k.waiting = k.waiting[1:]
	copy(b, d.b)
	return len(d.b), d.err
}

func (k *fakeKernel) drain()       { k.drained++; k.waiting = nil }
func (k *fakeKernel) close() error { return nil }

func fakeConn(answer func(seq uint32, request []byte) []datagram) (*Conn, *fakeKernel) {
	k := &fakeKernel{answer: answer}
	return newConn(k, release{6, 18}), k
}

// one is a datagram of the kernel's.
func one(messages ...[]byte) datagram { return datagram{b: bytes.Join(messages, nil)} }

func failed(seq uint32, errno unix.Errno) []byte {
	return msg(unix.NLMSG_ERROR, 0, seq, append(u32s(minus(errno)), make([]byte, 16)...))
}

// minus is an errno as netlink carries it.
func minus(e unix.Errno) uint32 { return uint32(-int32(e)) }

func done(seq uint32, flags uint16, data ...uint32) []byte {
	return msg(unix.NLMSG_DONE, unix.NLM_F_MULTI|flags, seq, u32s(data...))
}

func found(seq uint32, flags uint16, b []byte) []byte {
	return msg(sockDiagByFamily, flags, seq, b)
}

var (
	fakeLocal  = netip.MustParseAddrPort("192.0.2.1:7007")
	fakeRemote = netip.MustParseAddrPort("198.51.100.2:54321")
)

const fakeCookie = 0x0123456789abcdef

func TestLookupReplies(t *testing.T) {
	b := body(unix.AF_INET, 1, 0, 0)
	listener := body(unix.AF_INET, 10, 0, 0)
	copy(listener[24:], make([]byte, 16))
	listener[6], listener[7] = 0, 0
	for _, c := range []struct {
		name   string
		answer func(seq uint32, _ []byte) []datagram
		err    error  // by errors.Is
		text   string // in the error
	}{
		{"found", func(seq uint32, _ []byte) []datagram { return []datagram{one(found(seq, 0, b))} }, nil, ""},
		{"an answer to an earlier request comes first", func(seq uint32, _ []byte) []datagram {
			return []datagram{one(failed(seq-1, unix.EPERM)), one(found(seq-1, 0, listener)), one(found(seq, 0, b))}
		}, nil, ""},
		{"a no-op comes first", func(seq uint32, _ []byte) []datagram {
			return []datagram{one(msg(unix.NLMSG_NOOP, 0, seq, nil), found(seq, 0, b))}
		}, nil, ""},
		{"the listener instead", func(seq uint32, _ []byte) []datagram { return []datagram{one(found(seq, 0, listener))} }, ErrNotFound, "192.0.2.1:7007 > 198.51.100.2:54321"},
		{"not found", func(seq uint32, _ []byte) []datagram { return []datagram{one(failed(seq, unix.ENOENT))} }, unix.ENOENT, "no such socket"},
		{"refused", func(seq uint32, _ []byte) []datagram { return []datagram{one(failed(seq, unix.EPERM))} }, unix.EPERM, "lookup"},
		{"acknowledged and nothing else", func(seq uint32, _ []byte) []datagram { return []datagram{one(failed(seq, 0))} }, ErrNotFound, ""},
		{"silence", func(uint32, []byte) []datagram { return nil }, os.ErrDeadlineExceeded, "lookup"},
		{"overrun", func(seq uint32, _ []byte) []datagram {
			return []datagram{one(msg(unix.NLMSG_OVERRUN, 0, seq, nil))}
		}, unix.ENOBUFS, ""},
		{"cut short", func(seq uint32, _ []byte) []datagram { return []datagram{{b: found(seq, 0, b)[:50]}} }, errMalformed, ""},
		{"a short body", func(seq uint32, _ []byte) []datagram { return []datagram{one(found(seq, 0, b[:60]))} }, errMalformed, ""},
		{"an empty datagram, then silence", func(uint32, []byte) []datagram { return []datagram{{}} }, os.ErrDeadlineExceeded, ""},
		{"a short error", func(seq uint32, _ []byte) []datagram {
			return []datagram{one(msg(unix.NLMSG_ERROR, 0, seq, []byte{1}))}
		}, errMalformed, ""},
		{"an error of the socket", func(uint32, []byte) []datagram { return []datagram{{err: unix.ENOBUFS}} }, unix.ENOBUFS, ""},
	} {
		conn, _ := fakeConn(c.answer)
		s, err := conn.Lookup(fakeLocal, fakeRemote, fakeCookie)
		if c.err == nil && (err != nil || s.Cookie != fakeCookie) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.err != nil && (!errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if c.err != nil && s.Cookie != 0 {
			t.Errorf("%s: a socket with an error", c.name)
		}
	}
}

func TestDumpReplies(t *testing.T) {
	bodyOf := func(cookie uint32, state State) []byte {
		b := body(unix.AF_INET, byte(state), 0, 0)
		native.PutUint32(b[44:], cookie)
		return b
	}
	for _, c := range []struct {
		name   string
		answer func(seq uint32) []datagram
		want   []State
		err    error
	}{
		{"nothing", func(seq uint32) []datagram { return []datagram{one(done(seq, 0, 0))} }, nil, nil},
		{"three datagrams", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2, bodyOf(1, Listen)), found(seq, 2, bodyOf(2, Established))), one(found(seq, 2, bodyOf(3, Closing))), one(done(seq, 0, 0))}
		}, []State{Listen, Established, Closing}, nil},
		{"done in the datagram of the last one", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2, bodyOf(1, Listen)), done(seq, 0, 0))}
		}, []State{Listen}, nil},
		{"one of them twice", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2, bodyOf(1, SynReceived)), found(seq, 2, bodyOf(2, Closing))), one(found(seq, 2, bodyOf(1, Established)), done(seq, 0))}
		}, []State{Established, Closing}, nil},
		{"done with an error", func(seq uint32) []datagram { return []datagram{one(done(seq, 0, minus(unix.ENOENT)))} }, nil, unix.ENOENT},
		{"refused", func(seq uint32) []datagram { return []datagram{one(failed(seq, unix.EINVAL))} }, nil, unix.EINVAL},
		{"broken off", func(seq uint32) []datagram { return []datagram{one(found(seq, 2, bodyOf(1, Listen)))} }, nil, os.ErrDeadlineExceeded},
		{"malformed in the middle", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2, bodyOf(1, Listen))), one(found(seq, 2, []byte{1})), one(done(seq, 0, 0))}
		}, nil, errMalformed},
		{"always inconsistent", func(seq uint32) []datagram {
			return []datagram{one(found(seq, 2|unix.NLM_F_DUMP_INTR, bodyOf(1, Listen))), one(done(seq, 0, 0))}
		}, nil, ErrInconsistent},
		{"always inconsistent, says the end", func(seq uint32) []datagram {
			return []datagram{one(done(seq, unix.NLM_F_DUMP_INTR, 0))}
		}, nil, ErrInconsistent},
	} {
		conn, k := fakeConn(func(seq uint32, _ []byte) []datagram { return c.answer(seq) })
		list, err := conn.Dump(Filter{Family: unix.AF_INET})
		var got []State
		for _, s := range list {
			got = append(got, s.State)
		}
		if !errors.Is(err, c.err) || (err != nil) != (c.err != nil) || len(got) != len(c.want) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got, err, c.want, c.err)
			continue
		}
		for n := range got {
			if got[n] != c.want[n] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		if c.err == ErrInconsistent && k.sent != dumpTries {
			t.Errorf("%s: tried %d times", c.name, k.sent)
		}
	}
}

// A dump that was interrupted, or too long for the buffer, is asked for again.
func TestDumpRepeats(t *testing.T) {
	tries := 0
	conn, k := fakeConn(nil)
	k.answer = func(seq uint32, _ []byte) []datagram {
		if tries++; tries < 3 {
			return []datagram{one(found(seq, 2|unix.NLM_F_DUMP_INTR, body(2, 1, 0, 0))), one(done(seq, 0, 0))}
		}
		return []datagram{one(found(seq, 2, body(2, 1, 0, 0)), done(seq, 0, 0))}
	}
	if list, err := conn.Dump(Filter{Family: unix.AF_INET}); err != nil || len(list) != 1 || tries != 3 {
		t.Errorf("interrupted twice: %d sockets, %v, after %d tries", len(list), err, tries)
	}
	long := found(0, 2, body(2, 1, 0, 0, appendAttr(nil, 999, make([]byte, 60<<10))))
	tries = 0
	k.answer = func(seq uint32, _ []byte) []datagram {
		tries++
		native.PutUint32(long[8:], seq)
		return []datagram{one(long), one(done(seq, 0, 0))}
	}
	list, err := conn.Dump(Filter{Family: unix.AF_INET})
	if err != nil || len(list) != 1 || len(list[0].Unknown[0].Data) != 60<<10 || tries != 2 || k.drained != 1 {
		t.Errorf("too long for the buffer: %d sockets, %v, after %d tries, drained %d times", len(list), err, tries, k.drained)
	}
}

// After an exchange that broke off, what still comes of it is thrown away before the next.
func TestDrainAfterFailure(t *testing.T) {
	conn, k := fakeConn(func(seq uint32, _ []byte) []datagram {
		return []datagram{one(found(seq, 2, []byte{1})), one(found(seq, 2, []byte{2}))}
	})
	if _, err := conn.Dump(Filter{Family: unix.AF_INET}); !errors.Is(err, errMalformed) {
		t.Fatal(err)
	}
	k.answer = func(seq uint32, _ []byte) []datagram { return []datagram{one(found(seq, 0, body(2, 1, 0, 0)))} }
	if _, err := conn.Lookup(fakeLocal, fakeRemote, 0); err != nil || k.drained != 1 {
		t.Errorf("%v, drained %d times", err, k.drained)
	}
	if _, err := conn.Lookup(fakeLocal, fakeRemote, 0); err != nil || k.drained != 1 {
		t.Errorf("%v, drained %d times", err, k.drained)
	}
}

func TestSendFails(t *testing.T) {
	conn, k := fakeConn(nil)
	k.sendErr = unix.ENETDOWN
	if _, err := conn.Dump(Filter{}); !errors.Is(err, unix.ENETDOWN) {
		t.Error(err)
	}
}

func TestUseAfterClose(t *testing.T) {
	conn, _ := fakeConn(nil)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	_, dumpErr := conn.Dump(Filter{})
	_, lookupErr := conn.Lookup(fakeLocal, fakeRemote, 0)
	for name, err := range map[string]error{"dump": dumpErr, "lookup": lookupErr,
		"destroy": conn.Destroy(fakeLocal, fakeRemote, 1), "close": conn.Close()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDestroyReplies(t *testing.T) {
	for errno, c := range map[unix.Errno]struct {
		is   error
		text string
	}{
		unix.ENOENT:     {ErrNotFound, "no such socket"},
		unix.EPERM:      {ErrPermission, "CAP_NET_ADMIN"},
		unix.EOPNOTSUPP: {ErrNotSupported, "Linux 4.5 with CONFIG_INET_DIAG_DESTROY"},
		unix.EBUSY:      {unix.EBUSY, "busy"},
	} {
		conn, k := fakeConn(func(seq uint32, _ []byte) []datagram { return []datagram{one(failed(seq, errno))} })
		err := conn.Destroy(fakeLocal, fakeRemote, fakeCookie)
		if !errors.Is(err, c.is) || !errors.Is(err, errno) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v: %v", errno, err)
		}
		if k.sent != 1 {
			t.Errorf("with a cookie, %d requests were sent", k.sent)
		}
	}
}

// Without a cookie the socket is looked up first; the listener that the kernel offers instead is not destroyed.
func TestDestroyWithoutCookie(t *testing.T) {
	var types []uint16
	b := body(unix.AF_INET, 1, 0, 0)
	conn, k := fakeConn(nil)
	k.answer = func(seq uint32, request []byte) []datagram {
		types = append(types, native.Uint16(request[4:]))
		if types[len(types)-1] == sockDestroy {
			if c := native.Uint64(request[16+8+40:]); c != fakeCookie && !bigEndian {
				t.Errorf("destroys the cookie %x", c)
			}
			return []datagram{one(failed(seq, 0))}
		}
		return []datagram{one(found(seq, 0, b))}
	}
	if err := conn.Destroy(fakeLocal, fakeRemote, 0); err != nil || len(types) != 2 || types[1] != sockDestroy {
		t.Errorf("%v after requests %v", err, types)
	}
	types = nil
	b[24]++ // another remote address
	if err := conn.Destroy(fakeLocal, fakeRemote, 0); !errors.Is(err, ErrNotFound) || len(types) != 1 {
		t.Errorf("%v after requests %v", err, types)
	}
}

// A kernel without tcp_diag says ENOENT to a dump, when it begins or when it ends.
func TestProbe(t *testing.T) {
	for name, answer := range map[string]func(seq uint32) []byte{
		"refused": func(seq uint32) []byte { return failed(seq, unix.ENOENT) },
		"ended":   func(seq uint32) []byte { return done(seq, 0, minus(unix.ENOENT)) },
	} {
		conn, _ := fakeConn(func(seq uint32, _ []byte) []datagram { return []datagram{one(answer(seq))} })
		if err := conn.probe(); !errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), "tcp_diag") {
			t.Errorf("%s: %v", name, err)
		}
	}
	conn, _ := fakeConn(func(seq uint32, _ []byte) []datagram { return []datagram{one(done(seq, 0, 0))} })
	if err := conn.probe(); err != nil {
		t.Error(err)
	}
}

func TestBoundOnlyNeedsANewKernel(t *testing.T) {
	conn, _ := fakeConn(nil)
	conn.kernel = release{6, 7}
	_, err := conn.Dump(Filter{States: MaskOf(BoundInactive)})
	if !errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), "6.8") {
		t.Error(err)
	}
}

func TestRelease(t *testing.T) {
	for s, want := range map[string]release{"6.18.44-fc-v657": {6, 18}, "5.4": {5, 4}, "7.0-rc1": {7, 0}, "4.19.0-27-amd64": {4, 19}} {
		if got, ok := parseRelease(s); !ok || got != want {
			t.Errorf("%s is %v (%v)", s, got, ok)
		}
	}
	for _, s := range []string{"", "six", "6"} {
		if got, ok := parseRelease(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
	if !(release{5, 19}).before(release{6, 0}) || (release{6, 0}).before(release{6, 0}) || (release{6, 18}).before(release{6, 8}) {
		t.Error("releases are not ordered")
	}
	if running() == (release{}) {
		t.Error("the running kernel has no release")
	}
}
