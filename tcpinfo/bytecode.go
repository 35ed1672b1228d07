package tcpinfo

// A filter becomes a small program that the kernel runs for each socket (INET_DIAG_REQ_BYTECODE, struct inet_diag_bc_op
// in include/uapi/linux/inet_diag.h). An operation is four bytes, code, yes, no (16 bits), and then its operand; it
// jumps forward by "yes" bytes if its condition holds and by "no" bytes if not. A socket matches if the program ends
// exactly at its end. So each condition jumps over itself when it holds, and past the end when it does not, which makes
// the program the conjunction of its conditions. The kernel audits a program before it runs it: jumps must be multiples
// of four, land on an operation, and may pass the end by four bytes and no more.

// Operation codes (INET_DIAG_BC_…). Ports are compared with >= and <=, which every Linux has; == came in 4.16.
const (
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
	compare := func(code byte, port uint16) {
		program = append(program, code, 2*sizeofBCOp, 0, 0)
		program = native.AppendUint16(append(program, 0, 0), port) // the operand is the "no" of a second operation
	}
	if f.LocalPort != 0 {
		compare(bcLocalPortGE, f.LocalPort)
		compare(bcLocalPortLE, f.LocalPort)
	}
	if f.RemotePort != 0 {
		compare(bcRemotePortGE, f.RemotePort)
		compare(bcRemotePortLE, f.RemotePort)
	}
	for at := 0; at < len(program); at += 2 * sizeofBCOp { // where it jumps if it does not hold
		native.PutUint16(program[at+2:], uint16(len(program)-at+sizeofBCOp))
	}
	return program
}
