package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// block is a pcapng block, read here independently of how it is written.
type block struct {
	kind    uint32
	body    []byte // without options
	data    []byte // of a packet
	options map[uint16][]string
}

// readBlocks reads a capture and fails unless it is made of whole blocks.
func readBlocks(t testing.TB, b []byte) (blocks []block) {
	t.Helper()
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	for len(b) > 0 {
		if len(b) < 12 {
			t.Fatalf("%d octets after the last block", len(b))
		}
		length := u32(4)
		if length%4 != 0 || length < 12 || length > len(b) || u32(length-4) != length {
			t.Fatalf("block of %d octets in %d", length, len(b))
		}
		fixed := map[int]int{0x0a0d0d0a: 16, 1: 8, 5: 12, 6: 20}[u32(0)]
		blk := block{kind: uint32(u32(0)), body: b[8 : 8+fixed]}
		rest := b[8+fixed : length-4]
		if blk.kind == 6 {
			captured := u32(8 + 12)
			blk.data = rest[:captured]
			rest = rest[(captured+3)&^3:]
		}
		blk.options = readOptions(t, rest)
		blocks = append(blocks, blk)
		b = b[length:]
	}
	return blocks
}

func readOptions(t testing.TB, b []byte) map[uint16][]string {
	t.Helper()
	options := make(map[uint16][]string)
	for len(b) >= 4 {
		code, length := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if code == 0 {
			if length != 0 || len(b) != 4 {
				t.Fatalf("%d octets after the last option", len(b))
			}
			return options
		}
		options[code] = append(options[code], string(b[4:4+length]))
		if pad := b[4+length : 4+(length+3)&^3]; len(bytes.Trim(pad, "\x00")) > 0 {
			t.Fatalf("padding %x", pad)
		}
		b = b[4+(length+3)&^3:]
	}
	t.Fatal("options without an end")
	return nil
}

func newTestWriter(t testing.TB, w io.Writer) *PcapWriter {
	t.Helper()
	p, err := NewPcapWriter(w, PcapInfo{OS: "Linux", Application: "echoc"})
	if err != nil {
		t.Fatal(err)
	}
	client := PcapInterface{Name: "client", Description: "198.51.100.1"}
	if _, err := p.AddInterface(client); err != nil {
		t.Fatal(err)
	}
	return p
}

// twoHosts writes a capture of a segment that leaves one host and, later, of what the other one gets.
func twoHosts(t testing.TB, w io.Writer) *PcapWriter {
	t.Helper()
	p := newTestWriter(t, w)
	server, err := p.AddInterface(PcapInterface{Name: "server", Description: "198.51.100.2"})
	if err != nil || server != 1 {
		t.Fatal(server, err)
	}
	syn := packetOf(Segment{Src: v4a, Dst: v4b, Flags: SYN, Options: mustOptions(t, MSS(1460))})
	at := time.Unix(1_700_000_000, 123456789)
	for i, packet := range []PcapPacket{
		{Time: at, Data: syn, Direction: Outbound, ID: 7, Comments: []string{"dropped by the wire", "second thoughts"}},
		{Time: at.Add(time.Second), Data: syn, Direction: Outbound, ID: 8},
		{Interface: server, Time: at.Add(time.Second + 1), Data: syn, Direction: Inbound, ID: 8},
		{Interface: server, Time: at.Add(2 * time.Second), Data: syn, Direction: Inbound, ID: 9, Comments: []string{"duplicated"}},
	} {
		if err := p.WritePacket(packet); err != nil {
			t.Fatal(i, err)
		}
	}
	return p
}

func TestPcapngBlocks(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := twoHosts(t, &buf)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	blocks := readBlocks(t, buf.Bytes())
	var kinds []uint32
	for _, b := range blocks {
		kinds = append(kinds, b.kind)
	}
	if want := []uint32{blockSectionHeader, 1, 1, 6, 6, 6, 6, 5, 5}; !slices.Equal(kinds, want) {
		t.Fatalf("blocks %v, want %v", kinds, want)
	}
	for i, want := range []string{
		0: "map[3:[Linux] 4:[echoc]]",
		1: "map[2:[client] 3:[198.51.100.1] 9:[\t]]",
		2: "map[2:[server] 3:[198.51.100.2] 9:[\t]]",
		3: "map[1:[dropped by the wire second thoughts] 2:[\x02\x00\x00\x00] 5:[\a\x00\x00\x00\x00\x00\x00\x00]]",
		5: "map[2:[\x01\x00\x00\x00] 5:[\b\x00\x00\x00\x00\x00\x00\x00]]",
	} {
		if got := fmt.Sprint(blocks[i].options); want != "" && got != want {
			t.Errorf("block %d: %q, want %q", i, got, want)
		}
	}
	if len(blocks[3].data) != 44 {
		t.Errorf("%d octets", len(blocks[3].data))
	}
	u64 := func(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s)) }
	if s := blocks[8].options; u64(s[4][0]) != 2 {
		t.Errorf("statistics: received %d", u64(s[4][0]))
	}
}

// failingWriter takes so many octets and no more.
type failingWriter struct{ room int }

var errFull = errors.New("no space left")

func (w *failingWriter) Write(b []byte) (int, error) {
	if len(b) > w.room {
		return w.room, errFull
	}
	w.room -= len(b)
	return len(b), nil
}

// After half a block nothing can follow that a reader would understand.
func TestPcapngWriteErrorStays(t *testing.T) {
	t.Parallel()
	full := &failingWriter{room: 200}
	w := newTestWriter(t, full)
	packet := PcapPacket{Time: time.Unix(1, 0), Data: make([]byte, 500)}
	if err := w.WritePacket(packet); !errors.Is(err, errFull) {
		t.Errorf("first: %v", err)
	}
	full.room = 1000
	packet.Data = nil
	if err := w.WritePacket(packet); !errors.Is(err, errFull) || full.room != 1000 {
		t.Errorf("second: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v", err)
	}
	if _, err := NewPcapWriter(&failingWriter{}, PcapInfo{}); !errors.Is(err, errFull) {
		t.Errorf("NewPcapWriter: %v", err)
	}
}

// prefixes keeps what had been written after each Write.
type prefixes struct {
	bytes.Buffer
	lengths []int
}

func (p *prefixes) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	p.lengths = append(p.lengths, p.Len())
	return n, err
}

func TestPcapngEveryPrefixIsACapture(t *testing.T) {
	t.Parallel()
	var file prefixes
	w := twoHosts(t, &file)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for i, n := range file.lengths {
		if got := len(readBlocks(t, file.Bytes()[:n])); got != i+1 {
			t.Errorf("after write %d: %d blocks", i+1, got)
		}
		path := filepath.Join(t.TempDir(), "prefix.pcapng")
		if err := os.WriteFile(path, file.Bytes()[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if rows := tshark(t, path, "frame.number"); len(rows) != min(max(0, i-2), 4) {
			t.Errorf("after write %d: tshark reads %d packets", i+1, len(rows))
		}
	}
}

func TestPcapngAsTsharkReadsIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hosts.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := twoHosts(t, f).Close(); err != nil {
		t.Fatal(err)
	}
	got := tshark(t, path, "frame.interface_name", "frame.interface_description", "frame.comment", "frame.time_epoch",
		"frame.packet_flags_direction", "frame.packet_id", "frame.drop_count", "frame.len", "frame.cap_len",
		"frame.encap_type", "tcp.options.mss_val", "_ws.malformed")
	for _, row := range got { // a hexadecimal number in tshark 4.0
		row[4] = strings.TrimPrefix(row[4], "0x0000000")
	}
	want := [][]string{
		{"client", "198.51.100.1", "dropped by the wire,second thoughts", "1700000000.123456789", "2", "7", "",
			"44", "44", "7", "1460", ""},
		{"client", "198.51.100.1", "", "1700000001.123456789", "2", "8", "", "44", "44", "7", "1460", ""},
		{"server", "198.51.100.2", "", "1700000001.123456790", "1", "8", "", "44", "44", "7", "1460", ""},
		{"server", "198.51.100.2", "duplicated", "1700000002.123456789", "1", "9", "", "44", "44", "7", "1460", ""},
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("tshark has\n%q, want\n%q", got, want)
	}
	testCapinfos(t, path)
}

// testCapinfos compares what the headers of the file say, as Wireshark's capinfos shows it.
func testCapinfos(t *testing.T, path string) {
	t.Helper()
	if _, err := exec.LookPath("capinfos"); err != nil {
		t.Skip("install capinfos (wireshark-common) to compare with it")
	}
	out, err := exec.Command("capinfos", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := strings.Join(strings.Fields(string(out)), " ")
	for _, want := range []string{
		"Wireshark/... - pcapng", "File encapsulation: Raw IP", "File timestamp precision: nanoseconds (9)",
		"Number of packets: 4", "Capture oper-sys: Linux", "Capture application: echoc",
		"Number of interfaces in file: 2", "Name = client", "Name = server", "Number of stat entries = 1",
		"Time precision = nanoseconds (9)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("capinfos lacks %q:\n%s", want, out)
		}
	}
}
