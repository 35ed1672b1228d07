package tcpinfo

import (
	"errors"
	"fmt"

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
	families, err := f.families()
	if err != nil {
		return nil, err
	}
	if f.States == MaskOf(BoundInactive) && c.kernel.before(release{6, 8}) {
		return nil, &Error{Op: "dump", kind: ErrNotSupported, Detail: "bound sockets are listed since Linux 6.8"}
	}
	var all []Socket
	for _, family := range families {
		list, err := c.dumpFamily(family, f.States.kernelBits(), f.bytecode())
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// dumpFamily repeats a dump until it is whole.
func (c *Conn) dumpFamily(family uint8, states uint32, bytecode []byte) ([]Socket, error) {
	var list []Socket
	var err error
	for range dumpTries {
		list = list[:0]
		err = c.dump(family, states, bytecode, func(b []byte) error {
			list = append(list, Socket{})
			return list[len(list)-1].decode(b, c.kernel)
		})
		if !errors.Is(err, errInterrupted) && !errors.Is(err, errTruncated) {
			break
		}
	}
	if errors.Is(err, errInterrupted) {
		return nil, &Error{Op: "dump", kind: ErrInconsistent, Detail: fmt.Sprintf("%d times in a row", dumpTries)}
	}
	if err != nil {
		return nil, err
	}
	return dedupe(list), nil
}

// dedupe leaves out sockets that were reported twice: when a hash chain grows while the kernel is at it, it repeats
// some. What was said last stays.
func dedupe(list []Socket) []Socket {
	if len(list) < 2 {
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

// dump asks for one dump and hands over each message's body.
func (c *Conn) dump(family uint8, states uint32, bytecode []byte, handle func([]byte) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := request{family: family, states: states, cookie: noCookie}
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
