package sockapi

import (
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"
)

// Classic BPF in the notation of strace -v, which is that of the kernel's macros
// (linux/bpf_common.h, linux/filter.h); without -v strace only shows an address. One thing is simpler
// here: the offsets that mean no place in the segment (SKF_AD_OFF) are numbers.

// setFilter is setsockopt(SO_ATTACH_FILTER). The kernel takes at most 4096
// instructions, so that a longer program may as well be cut to what fits its count.
func setFilter(fd, level, name int, program []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(min(len(program), math.MaxUint16))}
	if len(program) > 0 {
		prog.Filter = &program[0]
	}
	return unix.SetsockoptSockFprog(fd, level, name, &prog)
}

// formatFilter shows a program, and says how long the struct is that holds it.
func formatFilter(program []unix.SockFilter) (value string, size int) {
	parts := make([]string, len(program))
	for i, in := range program {
		parts[i] = formatInstruction(in)
	}
	list := "NULL"
	if len(parts) > 0 {
		list = "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprintf("{len=%d, filter=%s}", min(len(program), math.MaxUint16), list), unix.SizeofSockFprog
}

func formatInstruction(in unix.SockFilter) string {
	code := formatCode(int(in.Code))
	if in.Jt != 0 || in.Jf != 0 {
		return fmt.Sprintf("BPF_JUMP(%s, %s, %s, %s)", code, hex(int(in.K)), hex(int(in.Jt)), hex(int(in.Jf)))
	}
	return fmt.Sprintf("BPF_STMT(%s, %s)", code, hex(int(in.K)))
}

// hex is a number as strace prints it: 0 is not 0x0.
func hex(n int) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

var (
	bpfClasses = [8]string{"BPF_LD", "BPF_LDX", "BPF_ST", "BPF_STX", "BPF_ALU", "BPF_JMP", "BPF_RET", "BPF_MISC"}
	bpfSizes   = map[int]string{unix.BPF_W: "BPF_W", unix.BPF_H: "BPF_H", unix.BPF_B: "BPF_B"}
	bpfModes   = map[int]string{
		unix.BPF_IMM: "BPF_IMM", unix.BPF_ABS: "BPF_ABS", unix.BPF_IND: "BPF_IND",
		unix.BPF_MEM: "BPF_MEM", unix.BPF_LEN: "BPF_LEN", unix.BPF_MSH: "BPF_MSH",
	}
	bpfALU = map[int]string{
		unix.BPF_ADD: "BPF_ADD", unix.BPF_SUB: "BPF_SUB", unix.BPF_MUL: "BPF_MUL", unix.BPF_DIV: "BPF_DIV",
		unix.BPF_OR: "BPF_OR", unix.BPF_AND: "BPF_AND", unix.BPF_LSH: "BPF_LSH", unix.BPF_RSH: "BPF_RSH",
		unix.BPF_NEG: "BPF_NEG", unix.BPF_MOD: "BPF_MOD", unix.BPF_XOR: "BPF_XOR",
	}
	bpfJumps = map[int]string{
		unix.BPF_JA: "BPF_JA", unix.BPF_JEQ: "BPF_JEQ", unix.BPF_JGT: "BPF_JGT",
		unix.BPF_JGE: "BPF_JGE", unix.BPF_JSET: "BPF_JSET",
	}
	bpfSources = map[int]string{unix.BPF_K: "BPF_K", unix.BPF_X: "BPF_X"}
	bpfResults = map[int]string{unix.BPF_K: "BPF_K", unix.BPF_X: "BPF_X", unix.BPF_A: "BPF_A"}
	bpfMisc    = map[int]string{unix.BPF_TAX: "BPF_TAX", unix.BPF_TXA: "BPF_TXA"}
)

// formatCode shows an instruction's code. Which fields it has depends on its
// class, the lowest three bits.
func formatCode(code int) string {
	field := func(names map[int]string, mask int) string { return "|" + named(names, code&mask, "BPF_???") }
	s := bpfClasses[code&0x07]
	rest := 0 // bits that the class has no use for
	switch code & 0x07 {
	case unix.BPF_LD, unix.BPF_LDX:
		s += field(bpfSizes, 0x18) + field(bpfModes, 0xe0)
	case unix.BPF_ST, unix.BPF_STX:
		rest = code &^ 0x07
	case unix.BPF_ALU:
		s += field(bpfSources, 0x08) + field(bpfALU, 0xf0)
	case unix.BPF_JMP:
		s += field(bpfSources, 0x08) + field(bpfJumps, 0xf0)
	case unix.BPF_RET:
		s += field(bpfResults, 0x18)
		rest = code &^ 0x1f
	case unix.BPF_MISC:
		s += field(bpfMisc, 0xf8)
		rest = code &^ 0xff
	}
	if rest != 0 {
		s += fmt.Sprintf("|%#x /* BPF_??? */", rest)
	}
	return s
}
