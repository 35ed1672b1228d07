package segment

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// capture is what tcpdump sees of one port on loopback, while it happens.
type capture struct {
	t       *testing.T
	packets chan PcapPacket
	flows   Flows
	trace   []timed
	seen    []Seen
	raw     []PcapPacket
}

// startCapture returns when tcpdump is listening.
func startCapture(t *testing.T, port int) *capture {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("run as root to capture on loopback")
	}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("install tcpdump to capture on loopback")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	cmd := exec.CommandContext(ctx, "tcpdump", "-i", "lo", "-U", "-n", "--time-stamp-precision=nano", "-w", "-",
		fmt.Sprintf("tcp port %d", port))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	complaints, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &capture{t: t, packets: make(chan PcapPacket, 1000)}
	read := make(chan struct{})
	t.Cleanup(func() { cancel(); <-read; _ = cmd.Wait() })

	lines := bufio.NewScanner(complaints)
	for listening := false; !listening; listening = strings.Contains(lines.Text(), "listening on") {
		if !lines.Scan() {
			close(read)
			t.Fatalf("tcpdump ended: %v", lines.Err())
		}
	}
	go func() {
		defer close(read)
		defer close(c.packets)
		readPcap(out, c.packets)
	}()
	return c
}

// readPcap reads what tcpdump writes: the older format, here with nanoseconds and Ethernet headers, which it strips.
func readPcap(r io.Reader, packets chan<- PcapPacket) {
	const fileHeader, packetHeader, ethernet = 24, 16, 14
	header := make([]byte, fileHeader)
	if _, err := io.ReadFull(r, header); err != nil {
		return
	}
	for {
		if _, err := io.ReadFull(r, header[:packetHeader]); err != nil {
			return
		}
		u32 := func(at int) int64 { return int64(binary.NativeEndian.Uint32(header[at:])) }
		data := make([]byte, u32(8))
		if _, err := io.ReadFull(r, data); err != nil {
			return
		}
		packets <- PcapPacket{Time: time.Unix(u32(0), u32(4)), Data: data[ethernet:]}
	}
}

// wait takes packets until the last of them is what is waited for.
func (c *capture) wait(what string, found func(Seen) bool) {
	c.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case p, ok := <-c.packets:
			if !ok {
				c.t.Fatalf("tcpdump ended before %s", what)
			}
			s := mustDecode(c.t, p.Data)
			seen := c.flows.Add(p.Time, s)
			c.raw, c.trace, c.seen = append(c.raw, p), append(c.trace, timed{p.Time, s}), append(c.seen, seen)
			if found(seen) {
				return
			}
		case <-deadline:
			for _, seen := range c.seen {
				c.t.Logf("%v > %v %s", seen.Segment.Src, seen.Segment.Dst, seen)
			}
			c.t.Fatalf("no %s", what)
		}
	}
}

func (c *capture) waitFor(a Analysis) {
	c.t.Helper()
	c.wait(a.String(), func(s Seen) bool { return s.Analysis.Has(a) })
}

// waitForClose waits until both sides have sent a FIN and both are acknowledged.
func (c *capture) waitForClose() {
	c.t.Helper()
	c.wait("end of the connection", func(Seen) bool {
		acknowledged := make(map[netip.AddrPort]bool) // FINs, by sender
		for _, fin := range c.trace {
			for _, ack := range c.trace {
				if fin.s.Flags.Has(FIN) && ack.s.Src == fin.s.Dst && ack.s.Ack == fin.s.Seq+fin.s.SeqLen() {
					acknowledged[fin.s.Src] = true
				}
			}
		}
		return len(acknowledged) == 2
	})
}

// compare checks that every segment has good checksums, or such as Linux leaves to the card, and that tshark reads
// what we read.
func (c *capture) compare() {
	c.t.Helper()
	c.save()
	for i, p := range c.raw {
		var sum *ChecksumError
		err := VerifyTCP(p.Data)
		if err != nil && !(errors.As(err, &sum) && sum.Offloaded) {
			c.t.Errorf("packet %d: %v", i+1, err)
		}
		if err := VerifyIP(p.Data); err != nil {
			c.t.Errorf("packet %d: %v", i+1, err)
		}
		s := c.trace[i].s
		if again := mustDecode(c.t, packetOf(s)); again.String() != s.String() {
			c.t.Errorf("packet %d: %s, written and read again: %s", i+1, s, again)
		}
	}
	file := writeCapture(c.t, c.raw)
	compareFileWithTshark(c.t, file, c.trace)
	// Checksums are as Linux leaves them on loopback; everything else is as tshark has it.
	rows := tshark(c.t, file, tsharkHeaderFields...)
	for i := range c.trace {
		for j, want := range headerFields(&c.trace[i].s) {
			field := tsharkHeaderFields[j]
			if got := rows[i][j]; got != want && want != elsewhere && field != "tcp.checksum.status" {
				c.t.Errorf("packet %d %s: tshark has %.100q, we have %.100q", i+1, field, got, want)
			}
		}
	}
}

// pair is a connection on loopback with a capture of it.
type pair struct {
	*capture
	client, server *net.TCPConn
}

// connect opens a connection on a fresh port, with a receive buffer of so many octets on the server's side if not 0.
func connect(t *testing.T, network, address string, receiveBuffer int) pair {
	t.Helper()
	config := net.ListenConfig{
		KeepAlive: -1,
		Control: func(_, _ string, c syscall.RawConn) (err error) {
			if receiveBuffer > 0 {
				err = c.Control(func(fd uintptr) {
					err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
				})
			}
			return err
		},
	}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), network, address)
	if err != nil {
		t.Skipf("no %s: %v", network, err)
	}
	defer l.Close()
	p := pair{capture: startCapture(t, l.Addr().(*net.TCPAddr).Port)}
	dialer := net.Dialer{KeepAlive: -1}
	client, err := dialer.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p.client, p.server = client.(*net.TCPConn), server.(*net.TCPConn)
	t.Cleanup(func() { p.client.Close(); p.server.Close() })
	return p
}

func (p pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p pair) send(from io.Writer, to io.Reader, octets int) {
	p.t.Helper()
	_, err := from.Write(make([]byte, octets))
	p.must(err)
	_, err = io.ReadFull(to, make([]byte, octets))
	p.must(err)
}

func TestKernelHalfClose(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			p := connect(t, network, address, 0)
			p.send(p.client, p.server, 5)
			p.must(p.client.CloseWrite())
			p.send(p.server, p.client, 200_000)
			p.must(p.server.Close())
			p.waitForClose()
			p.compare()
			first, last := p.seen[0], p.seen[len(p.seen)-1]
			if first.Segment.Flags != SYN || first.Seq != 0 || last.Seq != 7 || last.Ack != 200_002 {
				t.Errorf("first %s, last %s", first, last)
			}
			if mss, _ := first.Segment.Options.MSS(); mss == 0 || !first.Segment.Options.SACKPermitted() {
				t.Errorf("SYN %s", first)
			}
		})
	}
}

func TestKernelZeroWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the kernel, and for tshark")
	}
	t.Parallel()
	p := connect(t, "tcp4", "127.0.0.1:0", 4096)
	sent := make(chan int64)
	const total = 32 << 10
	go func() {
		n, _ := io.Copy(p.client, io.LimitReader(zeros{}, total))
		_ = p.client.CloseWrite()
		sent <- n
	}()
	p.waitFor(ZeroWindow)
	p.waitFor(ZeroWindowProbe)
	p.waitFor(ZeroWindowProbeAck)
	n, err := io.Copy(io.Discard, p.server)
	if err != nil || n != total || <-sent != total {
		t.Fatalf("%d octets, %v", n, err)
	}
	p.must(p.server.Close())
	p.waitForClose()
	p.compare()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestKernelKeepAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the kernel, and for tshark")
	}
	t.Parallel()
	p := connect(t, "tcp4", "127.0.0.1:0", 0)
	p.send(p.client, p.server, 5)
	p.must(p.client.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 3,
	}))
	p.waitFor(KeepAlive)
	p.waitFor(KeepAliveAck)
	p.must(p.client.Close())
	p.must(p.server.Close())
	p.waitForClose()
	p.compare()
}

// A filter on the server's socket drops what arrives for it, until it is taken off.
func TestKernelRetransmission(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the kernel, and for tshark")
	}
	t.Parallel()
	p := connect(t, "tcp4", "127.0.0.1:0", 0)
	p.send(p.client, p.server, 5)
	raw, err := p.server.SyscallConn()
	p.must(err)
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	p.must(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: 1, Filter: &drop[0]})
	}))
	p.must(err)
	_, err = p.client.Write([]byte("hello"))
	p.must(err)
	p.waitFor(Retransmission)
	p.must(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	}))
	p.must(err)
	_, err = io.ReadFull(p.server, make([]byte, 5))
	p.must(err)
	p.must(p.client.Close())
	p.must(p.server.Close())
	p.waitForClose()
	p.compare()
}

func TestKernelReset(t *testing.T) {
	t.Parallel()
	p := connect(t, "tcp4", "127.0.0.1:0", 0)
	p.must(p.client.SetLinger(0))
	p.must(p.client.Close())
	p.wait("a reset", func(s Seen) bool { return s.Segment.Flags.Has(RST) })
	p.compare()
}

func TestKernelRefusal(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	c := startCapture(t, address.Port)
	if conn, err := net.Dial("tcp4", address.String()); err == nil {
		conn.Close()
		t.Skip("somebody took the port")
	}
	c.wait("a reset", func(s Seen) bool { return s.Segment.Flags.Has(RST) })
	c.save()
	// tshark calls the number of the reset 1; it is 0.
	if last := c.seen[len(c.seen)-1]; last.String() != "RST+ACK seq=0 ack=1 win=0" {
		t.Error(last)
	}
}
