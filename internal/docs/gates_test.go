package docs

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// How many entries the SYN queue takes, and what counts those beyond, as docs/pictures says: in a namespace, with SYNs
// of clients that are not there. The accept queue is the scenario backlog's.
func TestTheGatesAreCounted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("sends SYNs of others: run it as root")
	}
	beside(t)
	for _, line := range []string{"ip address add 198.51.100.1/24 dev lo", "ip route add 203.0.113.0/24 dev lo"} {
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
			t.Skipf("%s: %v %s", line, err, out)
		}
	}
	for _, c := range []struct {
		name                            string
		cookies, maxSyn                 string
		backlog, syns                   int
		entries, cookied, full, dropped int64
	}{
		{"cookies", "1", "4096", 4, 10, 5, 5, 0, 0},
		{"no cookies", "0", "4096", 4, 10, 5, 0, 5, 5},
		{"no cookies, tcp_max_syn_backlog", "0", "16", 128, 30, 13, 0, 0, 17},
		{"cookies, tcp_max_syn_backlog", "1", "16", 128, 30, 30, 0, 0, 0},
	} {
		setSysctl(t, "tcp_syncookies", c.cookies)
		setSysctl(t, "tcp_max_syn_backlog", c.maxSyn)
		before, err := tcpinfo.ReadCounters()
		if err != nil {
			t.Fatal(err)
		}
		fd, port := listener(t, c.backlog)
		for i := range c.syns {
			sendSYN(t, netip.AddrFrom4([4]byte{203, 0, 113, byte(i + 1)}), port)
		}
		rose := map[string]int64{}
		after, err := tcpinfo.ReadCounters() // what goes over lo has been taken when sendto returns
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range after.Since(before) {
			rose[d.Name] = d.Delta
		}
		got := [4]int64{synQueue(t, port), rose["TCPReqQFullDoCookies"], rose["TCPReqQFullDrop"], rose["ListenDrops"]}
		if want := [4]int64{c.entries, c.cookied, c.full, c.dropped}; got != want {
			t.Errorf("%s: entries, TCPReqQFullDoCookies, TCPReqQFullDrop, ListenDrops: %v, want %v", c.name, got, want)
		}
		unix.Close(fd)
	}
}

// setSysctl sets one of this thread's namespace.
func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0o644); err != nil {
		t.Skip(err)
	}
}

func listener(t *testing.T, backlog int) (fd int, port uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{198, 51, 100, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, uint16(at.(*unix.SockaddrInet4).Port)
}

// synQueue is how many entries ss sees.
func synQueue(t *testing.T, port uint16) int64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ss", "-Htan", "state", "syn-recv", "sport", "=", fmt.Sprintf(":%d", port)).Output()
	if err != nil {
		t.Skip(err)
	}
	return int64(strings.Count(string(out), "\n"))
}

// sendSYN sends a SYN of a client that is not there.
func sendSYN(t *testing.T, from netip.Addr, port uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	src, dst := from.As4(), [4]byte{198, 51, 100, 1}
	tcp := make([]byte, 20)
	binary.BigEndian.PutUint16(tcp[0:], 40000)
	binary.BigEndian.PutUint16(tcp[2:], port)
	binary.BigEndian.PutUint32(tcp[4:], 1000)
	tcp[12], tcp[13] = 5<<4, 2
	binary.BigEndian.PutUint16(tcp[14:], 65535)
	pseudo := append(append(append([]byte{}, src[:]...), dst[:]...), 0, unix.IPPROTO_TCP, 0, byte(len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], checksum(append(pseudo, tcp...)))
	ip := []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, unix.IPPROTO_TCP, 0, 0} // the kernel fills in the rest
	packet := append(append(append(ip, src[:]...), dst[:]...), tcp...)
	if err := unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: dst}); err != nil {
		t.Fatal(err)
	}
}

// checksum is the Internet's (RFC 1071), of an even number of octets.
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
