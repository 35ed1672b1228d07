// Package capture sees the segments of connections on this host's interfaces, loopback among them, through a packet
// socket (packet(7)). A filter in the kernel lets those through that have one of the ports; other traffic costs
// nothing.
package capture

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

// Capture is a packet socket.
type Capture struct {
	mu    sync.Mutex
	fd    int
	ports []uint16

	dropped, reported uint32 // packets there was no room for: by PACKET_STATISTICS, and as handed over
}

// Open begins a capture that sees nothing until ports are added. It needs CAP_NET_RAW; without, the error is an
// [*unsupported.Error].
func Open() (*Capture, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		switch err {
		case unix.EPERM, unix.EACCES:
			return nil, unsupported.New("--capture needs CAP_NET_RAW", "run the same command with sudo", err)
		case unix.EAFNOSUPPORT:
			return nil, unsupported.New("this kernel has no packet sockets", "modprobe af_packet, or use one built with CONFIG_PACKET", err)
		}
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	c := &Capture{fd: fd}
	if err := c.setUp(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

// bufferBytes is room for what comes while this program does not get the CPU. On loopback segments are up to 64 KB
// long.
const bufferBytes = 32 << 20

// setUp has the filter in place before the socket is bound, so that nothing else ever comes through.
func (c *Capture) setUp() error {
	if err := c.filter(); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferBytes); err != nil { // CAP_NET_ADMIN
		// As much as net.core.rmem_max allows; losses are reported.
		unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bufferBytes)
	}
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("SO_TIMESTAMPNS: %w", err)
	}
	awaitStamps()
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1); err != nil {
		return fmt.Errorf("SO_RXQ_OVFL: %w", err)
	}
	if err := unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: hton16(unix.ETH_P_ALL)}); err != nil {
		return fmt.Errorf("bind the packet socket: %w", err)
	}
	return nil
}

// AddPort has the segments from and to a port seen too; port 0 stands for all. Above a hundred ports those of all
// others are seen with them.
func (c *Capture) AddPort(port uint16) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.ports, port) {
		return nil
	}
	c.ports = append(c.ports, port)
	return c.filter()
}

func (c *Capture) filter() error {
	program := program(c.ports)
	err := unix.SetsockoptSockFprog(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("SO_ATTACH_FILTER: %w", err)
	}
	return nil
}

// Packet is a packet from its IP header on, and when the kernel had it.
type Packet struct {
	At   time.Time
	Data []byte // valid until the function that got it returns; none where there is only a loss to tell of
	Lost uint32 // how many packets are missing before this one: there was no room for them

	Interface int // the index of the one that it was seen on
}

// mostOfAPacket is how much is read of one: inside a host they may be as long as gso_max_size (BIG TCP).
const mostOfAPacket = 512 << 10

// Run hands each packet to f until ctx ends; those that came until then are handed over before it returns. Again and
// again it tells until, which may be nil, up to which moment everything has been handed over.
func (c *Capture) Run(ctx context.Context, f func(Packet), until func(time.Time)) error {
	room, control := make([]byte, mostOfAPacket), make([]byte, 128)
	for {
		over, asked := ctx.Err() != nil, time.Now()
		if err := c.drain(room, control, f); err != nil {
			return err
		}
		if until != nil {
			until(asked.Add(-onItsWay))
		}
		if over {
			return c.lastLosses(f)
		}
		poll := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, 5); err != nil && err != unix.EINTR {
			return fmt.Errorf("poll the packet socket: %w", err)
		}
	}
}

// onItsWay is more than passes between a packet's time stamp and its place in the socket's buffer.
const onItsWay = time.Millisecond

// drain reads until there is nothing left.
func (c *Capture) drain(room, control []byte, f func(Packet)) error {
	for {
		n, controls, _, from, err := unix.Recvmsg(c.fd, room, control, unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("read the packet socket: %w", err)
		}
		p := c.received(control[:controls])
		p.Data = room[:n]
		if on, is := from.(*unix.SockaddrLinklayer); is {
			p.Interface = on.Ifindex
		}
		f(p)
	}
}

// received is what the kernel says beside a packet: its time, and how many it had dropped before (SO_RXQ_OVFL; nothing
// is said of none).
func (c *Capture) received(control []byte) Packet {
	p := Packet{At: time.Now()}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return p
	}
	for _, m := range messages {
		switch {
		case m.Header.Level != unix.SOL_SOCKET:
		case m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})):
			ts := *(*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			p.At = onOurClock(time.Unix(ts.Unix()))
		case m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4:
			p.Lost = c.lost(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return p
}

// lost is how many more were dropped than have been reported.
func (c *Capture) lost(dropped uint32) uint32 {
	more := dropped - c.reported
	c.reported = dropped
	return more
}

// lastLosses tells of those after which nothing came any more.
func (c *Capture) lastLosses(f func(Packet)) error {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return fmt.Errorf("PACKET_STATISTICS: %w", err)
	}
	c.dropped += stats.Drops // since it was last asked
	if n := c.lost(c.dropped); n > 0 {
		f(Packet{At: time.Now(), Lost: n})
	}
	return nil
}

// onOurClock gives a wall clock time the monotonic reading that the rest of the program's times have.
func onOurClock(wall time.Time) time.Time {
	ours := func() time.Time {
		now := time.Now()
		return now.Add(wall.Sub(now.Round(0)))
	}
	// The two clocks are read one after the other: where the thread loses its processor between, the second is late.
	best := ours()
	for range 2 {
		if t := ours(); t.Before(best) {
			best = t
		}
	}
	return best
}

// Close ends the capture.
func (c *Capture) Close() error { return unix.Close(c.fd) }

func hton16(n uint16) uint16 { return n<<8 | n>>8 }
