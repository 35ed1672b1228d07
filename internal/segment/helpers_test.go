package segment

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	v4a = netip.MustParseAddrPort("198.51.100.1:40000")
	v4b = netip.MustParseAddrPort("198.51.100.2:7007")
	v6a = netip.MustParseAddrPort("[2001:db8::1]:40000")
	v6b = netip.MustParseAddrPort("[2001:db8::2]:7007")
)

// String is the segment with relative numbers and the window in octets, and what else there is to say:
//
//	PSH+ACK seq=1 ack=1 len=5 win=65536 [retransmission]
//	ACK seq=1 ack=1 win=512 (scale unknown)
func (s Seen) String() string {
	relative := s.Segment
	relative.Seq, relative.Ack = s.Seq, s.Ack
	window := fmt.Sprintf("win=%d", s.Window)
	if !s.Scaled && s.Window != 0 {
		window += " (scale unknown)"
	}
	text := strings.Replace(relative.String(), fmt.Sprintf("win=%d", s.Segment.Window), window, 1)
	options := s.Segment.Options.StringsRelative(s.Ack - s.Segment.Ack)
	text = strings.Replace(text, strings.Join(s.Segment.Options.Strings(), ", "), strings.Join(options, ", "), 1)
	if s.Analysis != 0 {
		text += " [" + s.Analysis.String() + "]"
	}
	return text
}

func mustOptions(t testing.TB, list ...Option) Options {
	t.Helper()
	o, err := NewOptions(list...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mustDecode(t testing.TB, b []byte) Segment {
	t.Helper()
	s, err := Decode(b)
	if err != nil {
		t.Fatalf("decode %x: %v", b, err)
	}
	return s
}

// randomSegment is any segment that can be written, with well-formed options. Its ports are above 1023 and
// its addresses unicast, so that other tools find nothing to say about them.
func randomSegment(r *rand.Rand) Segment {
	port := func() uint16 { return uint16(20000 + r.IntN(40000)) }
	s := Segment{
		Seq: r.Uint32(), Ack: r.Uint32(), Flags: Flags(r.UintN(512)),
		Window:  uint16(r.Uint32()),
		Options: randomOptions(r),
	}
	if r.IntN(2) == 0 {
		s.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(r.Uint32()), byte(r.Uint32()), 1}), port())
		s.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(r.Uint32()), byte(r.Uint32()), 2}), port())
	} else {
		s.Src = netip.AddrPortFrom(randomIPv6(r), port())
		s.Dst = netip.AddrPortFrom(randomIPv6(r), port())
	}
	if n := r.IntN(1400); r.IntN(3) > 0 && n > 0 {
		s.Payload = make([]byte, n)
		for i := range s.Payload {
			s.Payload[i] = byte(r.Uint32())
		}
	}
	return s
}

func randomIPv6(r *rand.Rand) netip.Addr {
	b := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 4; i < 16; i++ {
		b[i] = byte(r.Uint32())
	}
	return netip.AddrFrom16(b)
}

func randomOptions(r *rand.Rand) Options {
	var list []Option
	for range r.IntN(5) {
		var o Option
		switch r.IntN(8) {
		case 0:
			o = MSS(uint16(r.Uint32()))
		case 1:
			o = WindowScale(uint8(r.IntN(15)))
		case 2:
			o = SACKPermitted()
		case 3:
			o = SACK(make([]SACKBlock, 1+r.IntN(3))...)
			for i := range o.data {
				o.data[i] = byte(r.Uint32())
			}
		case 4:
			o = Timestamps(r.Uint32(), r.Uint32())
		case 5:
			o = RawOption(OptFastOpen, []byte{1, 2, 3, 4, 5, 6, 7, 8})
		case 6:
			o = RawOption(77, []byte{byte(r.Uint32())})
		default:
			o = NOP()
		}
		if _, err := NewOptions(append(list, o)...); err == nil {
			list = append(list, o)
		}
	}
	o, _ := NewOptions(list...)
	return o
}

// writeCapture writes packets to a pcapng file with PcapWriter, a millisecond apart where they have no time.
func writeCapture(t testing.TB, packets []PcapPacket) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.pcapng")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewPcapWriter(f, PcapInfo{OS: "Linux", Application: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddInterface(PcapInterface{Name: "client"}); err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		if p.Time.IsZero() {
			p.Time = time.Unix(1_700_000_000, int64(i)*int64(time.Millisecond))
		}
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// tshark reads a capture and returns, for each packet, the named fields, several values of one joined by commas.
func tshark(t testing.TB, file string, fields ...string) [][]string {
	t.Helper()
	args := []string{
		"-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,",
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var rows [][]string
	for line := range strings.Lines(runTshark(t, file, args...)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// runTshark dissects a capture as TCP/IP and nothing above, and fails if tshark complains.
func runTshark(t testing.TB, file string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("tshark takes a second for each capture")
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("install tshark to compare with it")
	}
	all := []string{
		"-n", "-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-o", "tcp.desegment_tcp_streams:FALSE", "-d", "tcp.port==0-65535,data",
	}
	cmd := exec.Command("tshark", append(all, args...)...)
	cmd.Env = append(os.Environ(), "WIRESHARK_CONFIG_DIR="+t.TempDir(), "LC_ALL=C.UTF-8")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	var left []string
	for line := range strings.Lines(complaints.String()) {
		if !strings.HasPrefix(line, "Running as user") {
			left = append(left, line)
		}
	}
	if err != nil || len(left) > 0 {
		t.Fatalf("tshark: %v\n%s", err, strings.Join(left, ""))
	}
	return string(out)
}
