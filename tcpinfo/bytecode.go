package tcpinfo

// A filter becomes a small program that the kernel runs for each socket (INET_DIAG_REQ_BYTECODE, struct inet_diag_bc_op
// in include/uapi/linux/inet_diag.h). An operation is four bytes, code, yes, no (16 bits), and then its operand; it
// jumps forward by "yes" bytes if its condition holds and by "no" bytes if not. A socket matches if the program ends
// exactly at its end. So each condition jumps over itself when it holds, and past the end when it does not, which makes
// the program the conjunction of its conditions. The kernel audits a program before it runs it: jumps must be multiples
// of four, land on an operation that the chain of "yes" leads to, and may pass the end by four bytes and no more. That
// is why a disjunction has a jump between its halves: "yes" leads over it to the second, and what jumps is its "no".

// Operation codes (INET_DIAG_BC_…). Ports are compared with >= and <=, which every Linux has; == came in 4.16.
const (
	bcJump         = 1
	bcLocalPortGE  = 2
	bcLocalPortLE  = 3
	bcRemotePortGE = 4
	bcRemotePortLE = 5
)

const sizeofBCOp = 4

// attrBytecode is INET_DIAG_REQ_BYTECODE.
const attrBytecode = 1

// bytecode translates the conditions on ports. It is empty where there are none.
func (f *Filter) bytecode() []byte {
	var program []byte
	if f.LocalPort != 0 {
		program = appendPort(program, bcLocalPortGE, f.LocalPort)
	}
	if f.RemotePort != 0 {
		program = appendPort(program, bcRemotePortGE, f.RemotePort)
	}
	both := len(program)
	if f.Port != 0 {
		program = appendPort(program, bcLocalPortGE, f.Port)
		first := len(program)
		program = append(program, bcJump, sizeofBCOp, 0, 0)
		program = appendPort(program, bcRemotePortGE, f.Port)
		second := program[first+sizeofBCOp:]
		native.PutUint16(program[first+2:], uint16(sizeofBCOp+len(second))) // to the end
		otherwise(program[both:first], first+sizeofBCOp-both)
		otherwise(second, len(second)+sizeofBCOp)
	}
	otherwise(program[:both], len(program)+sizeofBCOp)
	return program
}

// appendPort adds that the port is no less than one number, and no more: of what code compares.
func appendPort(program []byte, code byte, port uint16) []byte {
	for _, code := range []byte{code, code + 1} {
		program = append(program, code, 2*sizeofBCOp, 0, 0)
		program = native.AppendUint16(append(program, 0, 0), port) // the operand is the "no" of a second operation
	}
	return program
}

// otherwise sets where comparisons jump that do not hold: so far from the first of them.
func otherwise(comparisons []byte, to int) {
	for at := 0; at+2*sizeofBCOp <= len(comparisons); at += 2 * sizeofBCOp {
		native.PutUint16(comparisons[at+2:], uint16(to-at))
	}
}
