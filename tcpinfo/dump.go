package tcpinfo

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"

	"golang.org/x/sys/unix"
)

// dumpTries is how often a dump is repeated that the kernel calls inconsistent, or that did not fit the buffer.
const dumpTries = 5

// Dump lists the sockets that match the filter. The kernel walks its tables, which takes some 200 µs on a machine with
// few sockets and grows with their number. It is no snapshot: sockets that come, go or change state meanwhile may be
// missed.
//
// Errors: ErrInconsistent if the tables changed too much, ErrNotSupported if the filter asks for what this kernel does
// not have, or *Error with the kernel's errno.
func (c *Conn) Dump(f Filter) ([]Socket, error) {
	families, err := c.families(&f)
	if err != nil {
		return nil, err
	}
	var all []Socket
	for _, family := range families {
		list, err := c.dumpFamily(family, &f)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = list
		} else {
			all = append(all, list...)
		}
	}
	return all, nil
}

// Sockets goes through the sockets that match the filter while the kernel tells of them, and keeps none: the Socket,
// and what it points to, is the same one each time and is good until the next. Whoever has seen enough can break the
// loop off. The Conn answers nobody else meanwhile, and must not be asked from within the loop.
//
// An error comes last, with a nil Socket. They are Dump's; but what has been told is not told again, so after
// ErrInconsistent some sockets may have been missed, or told of twice.
func (c *Conn) Sockets(f Filter) iter.Seq2[*Socket, error] {
	return func(yield func(*Socket, error) bool) {
		families, err := c.families(&f)
		if err != nil {
			yield(nil, err)
			return
		}
		var s Socket
		d := decoder{kernel: c.kernel, only: new(room)}
		for _, family := range families {
			err := c.dump(family, &f, func(b []byte) error {
				if err := d.decode(&s, b); err != nil {
					return err
				}
				if !yield(&s, nil) {
					return errEnough
				}
				return nil
			})
			switch {
			case err == nil:
			case errors.Is(err, errEnough):
				return
			case errors.Is(err, errInterrupted):
				yield(nil, inconsistent("once"))
				return
			default:
				yield(nil, err)
				return
			}
		}
	}
}

// errEnough is the end of a loop that was broken off.
var errEnough = errors.New("enough")

// families are the tables that a filter is about, if this kernel can answer.
func (c *Conn) families(f *Filter) ([]uint8, error) {
	if f.States == MaskOf(BoundInactive) && c.kernel.before(release{6, 8}) {
		return nil, &Error{Op: "dump", kind: ErrNotSupported, Detail: "bound sockets are listed since Linux 6.8"}
	}
	return f.families()
}

// dumpFamily repeats a dump until it is whole.
func (c *Conn) dumpFamily(family uint8, f *Filter) ([]Socket, error) {
	last := c.lastFound(asked{family, *f})
	list := make([]Socket, 0, last+last/16)
	var err error
	for range dumpTries {
		list = list[:0]
		d := decoder{kernel: c.kernel}
		err = c.dump(family, f, func(b []byte) error {
			list = append(list, Socket{})
			return d.decode(&list[len(list)-1], b)
		})
		if !errors.Is(err, errInterrupted) && !errors.Is(err, errTruncated) {
			break
		}
	}
	if errors.Is(err, errInterrupted) {
		return nil, inconsistent(fmt.Sprintf("%d times in a row", dumpTries))
	}
	if err != nil {
		return nil, err
	}
	list = dedupe(list)
	c.found(asked{family, *f}, len(list))
	return list, nil
}

// asked is what a dump was of. The next one like it finds about as many sockets.
type asked struct {
	family uint8
	filter Filter
}

// mostAsked is of how many dumps a Conn remembers what they found.
const mostAsked = 16

func (c *Conn) lastFound(a asked) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[a]
}

func (c *Conn) found(a asked, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || len(c.last) >= mostAsked {
		c.last = map[asked]int{}
	}
	c.last[a] = n
}

func inconsistent(how string) error {
	return &Error{Op: "dump", kind: ErrInconsistent, Detail: how}
}

// dedupe leaves out sockets that were reported twice: when a hash chain grows while the kernel is at it, it repeats
// some. What was said last stays.
func dedupe(list []Socket) []Socket {
	if !repeats(list) {
		return list
	}
	at := make(map[uint64]int, len(list))
	kept := list[:0]
	for _, s := range list {
		if n, twice := at[s.Cookie]; twice && s.Cookie != 0 {
			kept[n] = s
			continue
		}
		at[s.Cookie] = len(kept)
		kept = append(kept, s)
	}
	return kept
}

// repeats says whether two sockets may be the same, with a table that is looked at once for each: mostly none are, and
// a map of all takes as long as decoding them.
func repeats(list []Socket) bool {
	size := 1 << bits.Len(uint(2*len(list)))
	seen := make([]uint64, size)
	for i := range list {
		cookie := list[i].Cookie
		if cookie == 0 {
			continue
		}
		at := int(cookie*0x9e3779b97f4a7c15>>33) & (size - 1)
		for ; seen[at] != 0; at = (at + 1) & (size - 1) {
			if seen[at] == cookie {
				return true
			}
		}
		seen[at] = cookie
	}
	return false
}

// dump asks for one dump and hands over each message's body.
func (c *Conn) dump(family uint8, f *Filter, handle func([]byte) error) error {
	return c.dumpStates(request{family: family, states: f.States.kernelBits(), with: f.With}, f.bytecode(), handle)
}

func (c *Conn) dumpStates(r request, bytecode []byte, handle func([]byte) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.cookie = noCookie
	req := r.append(c.newRequest())
	if len(bytecode) > 0 {
		req = appendAttr(req, attrBytecode, bytecode)
	}
	rep, err := c.exchange(req, sockDiagByFamily, unix.NLM_F_DUMP, handle)
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if a := rep.ack; a.errno != 0 {
		return &Error{Op: "dump", Errno: a.errno, Detail: a.detail}
	}
	return nil
}
