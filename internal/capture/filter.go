package capture

import (
	"slices"

	"golang.org/x/sys/unix"
)

// all is as much of a packet as there is.
const all = 1 << 18

// loopback is the index of lo in every network namespace: LOOPBACK_IFINDEX of include/net/flow.h.
const loopback = 1

// maxPorts is how many are tested for. A jump goes 255 instructions far at the most; with more ports than this every
// TCP segment is let through, and whoever reads them selects.
const maxPorts = 100

// program is the classic BPF program that lets TCP segments from or to one of the ports through, IPv4 and IPv6 (without
// extension headers). It runs on the packet from its IP header on. Later fragments of an IPv4 packet have no ports. On
// the loopback interface each packet goes out and comes in; only what comes in is let through.
func program(ports []uint16) []unix.SockFilter {
	v4 := append([]unix.SockFilter{
		load(unix.BPF_B|unix.BPF_ABS, 9), // protocol
		jump(unix.BPF_JEQ, unix.IPPROTO_TCP, 1, 0), ret(0),
		load(unix.BPF_H|unix.BPF_ABS, 6), // fragment offset
		jump(unix.BPF_JSET, 0x1fff, 0, 1), ret(0),
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0}, // header length
	}, testPorts(ports, load(unix.BPF_H|unix.BPF_IND, 0), load(unix.BPF_H|unix.BPF_IND, 2))...)
	v6 := append([]unix.SockFilter{
		load(unix.BPF_B|unix.BPF_ABS, 6), // next header
		jump(unix.BPF_JEQ, unix.IPPROTO_TCP, 1, 0), ret(0),
	}, testPorts(ports, load(unix.BPF_H|unix.BPF_ABS, 40), load(unix.BPF_H|unix.BPF_ABS, 42))...)
	version := []unix.SockFilter{
		load(unix.BPF_B|unix.BPF_ABS, 0),
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 4},
		jump(unix.BPF_JEQ, 4, 0, uint8(len(v4))),
	}
	six := []unix.SockFilter{jump(unix.BPF_JEQ, 6, 1, 0), ret(0)}
	return slices.Concat(notOutgoing(loopback), version, v4, six, v6)
}

// testPorts accepts if the source or the destination, which the two instructions load, is one of the ports, and else
// rejects. Each test that holds jumps to the last instruction.
func testPorts(ports []uint16, src, dst unix.SockFilter) (p []unix.SockFilter) {
	if len(ports) > maxPorts || slices.Contains(ports, 0) {
		return []unix.SockFilter{ret(all)}
	}
	last := 2 + 2*len(ports) + 1
	for _, load := range []unix.SockFilter{src, dst} {
		p = append(p, load)
		for _, port := range ports {
			p = append(p, jump(unix.BPF_JEQ, uint32(port), uint8(last-len(p)-1), 0))
		}
	}
	return append(p, ret(0), ret(all))
}

// What the kernel knows of a packet beside its bytes (linux/filter.h, SKF_AD_OFF and what is added to it).
const (
	ancillary      = 0xffff_f000
	packetType     = ancillary + 4
	interfaceIndex = ancillary + 8
)

// notOutgoing rejects the copy of a packet that an interface delivers on the way out.
func notOutgoing(index int) []unix.SockFilter {
	return []unix.SockFilter{
		load(unix.BPF_W|unix.BPF_ABS, packetType),
		jump(unix.BPF_JEQ, unix.PACKET_OUTGOING, 0, 3),
		load(unix.BPF_W|unix.BPF_ABS, interfaceIndex),
		jump(unix.BPF_JEQ, uint32(index), 0, 1),
		ret(0),
	}
}

func load(how uint16, k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | how, K: k}
}

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func ret(n uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: n} }
