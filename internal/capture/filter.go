package capture

import (
	"slices"

	"golang.org/x/sys/unix"
)

// all is as much of a packet as there is.
const all = 1 << 18

// program is the classic BPF program that lets TCP segments from or to one of the ports through, IPv4 and IPv6 (without
// extension headers). It runs on the packet from its IP header on. Later fragments of an IPv4 packet have no ports. On the loopback
// interface, whose index is lo, each packet goes out and comes in; only what comes in is let through.
func program(ports []uint16, lo int) []unix.SockFilter {
	// Each test of a port, if it holds, jumps to the instruction behind the last, which accepts.
	tests := func(load unix.SockFilter, second unix.SockFilter) []unix.SockFilter {
		var p []unix.SockFilter
		n := 2 + 2*len(ports) // instructions of this part, before the one that rejects
		for _, l := range []unix.SockFilter{load, second} {
			p = append(p, l)
			for _, port := range ports {
				left := n - len(p) - 1
				p = append(p, jump(unix.BPF_JEQ, uint32(port), uint8(left+1), 0))
			}
		}
		return append(p, ret(0), ret(all))
	}
	v4 := append([]unix.SockFilter{
		statement(unix.BPF_LD|unix.BPF_B|unix.BPF_ABS, 9), // protocol
		jump(unix.BPF_JEQ, unix.IPPROTO_TCP, 1, 0), ret(0),
		statement(unix.BPF_LD|unix.BPF_H|unix.BPF_ABS, 6), // fragment offset
		jump(unix.BPF_JSET, 0x1fff, 0, 1), ret(0),
		statement(unix.BPF_LDX|unix.BPF_B|unix.BPF_MSH, 0), // header length
	}, tests(statement(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, 0), statement(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, 2))...)
	v6 := append([]unix.SockFilter{
		statement(unix.BPF_LD|unix.BPF_B|unix.BPF_ABS, 6), // next header
		jump(unix.BPF_JEQ, unix.IPPROTO_TCP, 1, 0), ret(0),
	}, tests(statement(unix.BPF_LD|unix.BPF_H|unix.BPF_ABS, 40), statement(unix.BPF_LD|unix.BPF_H|unix.BPF_ABS, 42))...)
	p := []unix.SockFilter{
		statement(unix.BPF_LD|unix.BPF_B|unix.BPF_ABS, 0), // version
		statement(unix.BPF_ALU|unix.BPF_RSH|unix.BPF_K, 4),
		jump(unix.BPF_JEQ, 4, 0, 1),
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 2},
		jump(unix.BPF_JEQ, 6, 0, 1),
		{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(v4)) + 1},
		ret(0),
	}
	p[3].K = 3 // to v4, past the two tests for version 6 and its jump, and the rejection
	p[5].K = 1 + uint32(len(v4))
	return slices.Concat(notOutOf(lo), p, v4, v6)
}

// What the kernel knows of a packet beside its bytes (linux/filter.h, SKF_AD_OFF and what is added to it).
const (
	ancillary      = 0xffff_f000
	packetType     = ancillary + 4
	interfaceIndex = ancillary + 8
)

// notOutOf rejects what is sent by an interface.
func notOutOf(index int) []unix.SockFilter {
	return []unix.SockFilter{
		statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, packetType),
		jump(unix.BPF_JEQ, unix.PACKET_OUTGOING, 0, 3),
		statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, interfaceIndex),
		jump(unix.BPF_JEQ, uint32(index), 0, 1),
		ret(0),
	}
}

func statement(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func ret(n uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: n} }
