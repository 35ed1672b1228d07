package tcpinfo

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A filter becomes a small program that the kernel runs for each socket (INET_DIAG_REQ_BYTECODE, struct inet_diag_bc_op
// in include/uapi/linux/inet_diag.h). An operation is four bytes, code, yes, no (16 bits), and then its operands; it
// jumps forward by "yes" bytes if its condition holds and by "no" bytes if not. A socket matches if the program ends
// exactly at its end. So each condition jumps over itself when it holds, and past the end when it does not, which makes
// the program the conjunction of its conditions. The kernel audits a program before it runs it: jumps must be multiples
// of four, land on an operation, and may pass the end by four bytes and no more.

// Operation codes (INET_DIAG_BC_…). The ports are compared with >= and <=, which every Linux has; S_EQ came in 4.16.
const (
	bcLocalPortGE  = 2
	bcLocalPortLE  = 3
	bcRemotePortGE = 4
	bcRemotePortLE = 5
	bcLocalCond    = 7
	bcRemoteCond   = 8
	bcInterface    = 9
)

const sizeofBCOp = 4

// attrBytecode is INET_DIAG_REQ_BYTECODE.
const attrBytecode = 1

// bytecode translates the conditions on addresses and ports. It is empty where there are none.
func (f *Filter) bytecode() ([]byte, error) {
	var p program
	if err := p.ports(bcLocalPortGE, bcLocalPortLE, f.LocalPort, f.LocalPorts); err != nil {
		return nil, fmt.Errorf("filter: local ports: %w", err)
	}
	if err := p.ports(bcRemotePortGE, bcRemotePortLE, f.RemotePort, f.RemotePorts); err != nil {
		return nil, fmt.Errorf("filter: remote ports: %w", err)
	}
	p.addr(bcLocalCond, f.Local)
	p.net(bcLocalCond, f.LocalNet)
	p.addr(bcRemoteCond, f.Remote)
	p.net(bcRemoteCond, f.RemoteNet)
	if f.Interface != 0 {
		p.op(bcInterface, native.AppendUint32(nil, f.Interface))
	}
	return p.assemble(), nil
}

// program is a list of operations that must all hold.
type program struct {
	ops  [][]byte
	size int
}

// op adds an operation with its operands, whose length is a multiple of four.
func (p *program) op(code byte, operands []byte) {
	o := append([]byte{code, byte(sizeofBCOp + len(operands)), 0, 0}, operands...)
	p.ops = append(p.ops, o)
	p.size += len(o)
}

// assemble fills in the jumps.
func (p *program) assemble() []byte {
	b := make([]byte, 0, p.size)
	for _, o := range p.ops {
		native.PutUint16(o[2:], uint16(p.size-len(b)+sizeofBCOp))
		b = append(b, o...)
	}
	return b
}

func (p *program) ports(ge, le byte, one uint16, r PortRange) error {
	if r.Lo > r.Hi {
		return fmt.Errorf("%d to %d is no range", r.Lo, r.Hi)
	}
	if one != 0 {
		p.port(ge, one)
		p.port(le, one)
	}
	if r != (PortRange{}) {
		p.port(ge, r.Lo)
		p.port(le, r.Hi)
	}
	return nil
}

// port adds a comparison. The port is the "no" of a second operation, in host order.
func (p *program) port(code byte, port uint16) {
	p.op(code, native.AppendUint16([]byte{0, 0}, port))
}

func (p *program) addr(code byte, a netip.Addr) {
	if a.IsValid() {
		a = a.Unmap().WithZone("")
		p.host(code, a, a.BitLen())
	}
}

func (p *program) net(code byte, n netip.Prefix) {
	if !n.IsValid() {
		return
	}
	a, bits := n.Addr(), n.Bits()
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	p.host(code, a, bits)
}

// host adds a comparison of address prefixes: struct inet_diag_hostcond, in which port -1 is any.
func (p *program) host(code byte, a netip.Addr, bits int) {
	family := byte(unix.AF_INET6)
	if a.Is4() {
		family = unix.AF_INET
	}
	cond := native.AppendUint32([]byte{family, byte(bits), 0, 0}, ^uint32(0))
	p.op(code, append(cond, a.AsSlice()...))
}
