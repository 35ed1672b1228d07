package segment

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Every header field of segments that we wrote, as tshark reads it.
func TestTsharkReadsOurSegments(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var segments []Segment
	var packets []PcapPacket
	for range 400 {
		s := randomSegment(r)
		segments = append(segments, s)
		packets = append(packets, PcapPacket{Data: packetOf(s)})
	}
	rows := tshark(t, writeCapture(t, packets), tsharkHeaderFields...)
	severity := len(tsharkHeaderFields) - 1
	if len(rows) != len(segments) {
		t.Fatalf("tshark read %d packets of %d", len(rows), len(segments))
	}
	for i, s := range segments {
		for _, n := range strings.Split(rows[i][severity], ",") {
			if level, err := strconv.Atoi(n); n != "" && (err != nil || level >= expertError) {
				t.Errorf("packet %d: tshark finds an error (severity %s)\n%s", i+1, n, s)
			}
		}
		for j, want := range headerFields(&s) {
			if got := rows[i][j]; got != want && want != elsewhere {
				t.Errorf("packet %d %s: tshark has %q, we have %q\n%s", i+1, tsharkHeaderFields[j], got, want, s)
			}
		}
	}
}

var tsharkHeaderFields = []string{
	"ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value",
	"tcp.len", "tcp.options", "tcp.options.mss_val", "tcp.options.wscale.shift",
	"tcp.options.sack.count", "tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr", "tcp.payload",
	"ip.checksum.status", "tcp.checksum.status", "_ws.malformed", "tcp.options.unknown",
	"_ws.expert.severity",
}

// expertError is the severity above warning in tshark's expert information.
const expertError = 0x00800000

// elsewhere is where tshark shows the data of resets and SYNs, and urgent data.
const elsewhere = "shown as another field"

// headerFields is what tshark should say for tsharkHeaderFields.
func headerFields(s *Segment) []string {
	number := func(n int) string { return strconv.FormatUint(uint64(uint32(n)), 10) }
	v4 := []string{s.Src.Addr().String(), s.Dst.Addr().String(), "", ""}
	v6 := []string{"", "", s.Src.Addr().String(), s.Dst.Addr().String()}
	fields, ipStatus := v4, "1"
	if s.Src.Addr().Is6() {
		fields, ipStatus = v6, ""
	}
	payload := hex.EncodeToString(s.Payload)
	if s.Flags&(RST|URG|SYN) != 0 {
		payload = elsewhere
	}
	var mss, shift, sacks, val, ecr, unknown []string
	for o := range s.Options.All() {
		one, _ := NewOptions(o)
		switch o.Kind {
		case OptMSS:
			v, _ := one.MSS()
			mss = append(mss, number(int(v)))
		case OptWindowScale:
			v, _ := one.WindowScale()
			shift = append(shift, number(int(v)))
		case OptSACK:
			sacks = append(sacks, number(len(one.SACK())))
		case OptTimestamps:
			v, e, _ := one.Timestamps()
			val, ecr = append(val, number(int(v))), append(ecr, number(int(e)))
		case 77:
			unknown = append(unknown, hex.EncodeToString(one.Bytes()[:2+len(o.data)]))
		}
	}
	return append(fields,
		number(int(s.Src.Port())), number(int(s.Dst.Port())), number(int(s.Seq)), number(int(s.Ack)),
		fmt.Sprintf("0x%04x", uint16(s.Flags)), number(int(s.Window)), number(s.Len()),
		hex.EncodeToString(s.Options.Bytes()), strings.Join(mss, ","), strings.Join(shift, ","),
		strings.Join(sacks, ","), strings.Join(val, ","), strings.Join(ecr, ","), payload,
		ipStatus, "1", "", strings.Join(unknown, ","),
	)
}
