package docs

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	tcp "socklife/internal/segment"
)

// The TCP header, RFC 9293's figure 1 with the flag of RFC 9768. It is drawn by hand: from this list, which is compared
// with what internal/segment decodes.

type field struct {
	name string
	bits int
}

var headerRows = [][]field{
	{{"Source Port", 16}, {"Destination Port", 16}},
	{{"Sequence Number", 32}},
	{{"Acknowledgment Number", 32}},
	{{"Data Offset", 4}, {"Rsrvd", 3}, {"AE", 1}, {"CWR", 1}, {"ECE", 1}, {"URG", 1}, {"ACK", 1}, {"PSH", 1}, {"RST", 1}, {"SYN", 1}, {"FIN", 1}, {"Window", 16}},
	{{"Checksum", 16}, {"Urgent Pointer", 16}},
	{{"Options: none, or a multiple of 32 bits", 32}},
	{{"Data", 32}},
}

// flagOf is a flag, and where it is seen.
type flagOf struct {
	flag     tcp.Flags
	rfc      string
	says     string
	scenario string
	args     string // what is played to see it
	ecn      bool   // with tcp_ecn=1
}

var flagsShown = []flagOf{
	{tcp.FIN, "9293", "no more data from the sender; takes one sequence number", "close", "--wire close", false},
	{tcp.SYN, "9293", "synchronize sequence numbers; takes one", "handshake", "--wire handshake", false},
	{tcp.RST, "9293", "the connection is reset, or there is none", "linger-reset", "--wire linger-reset", false},
	{tcp.PSH, "9293", "hand the data over: Linux sets it on the last segment of a write, among others", "handshake", "--wire handshake", false},
	{tcp.ACK, "9293", "the acknowledgment number counts: in every segment but the first SYN, and some RSTs", "handshake", "--wire handshake", false},
	{tcp.URG, "9293", "the urgent pointer counts", "urgent", "--wire urgent", false},
	{tcp.ECE, "3168", "in a SYN: ECN is offered or taken up; later: a packet came that a router had marked", "handshake", "--capture handshake", true},
	{tcp.CWR, "3168", "in a SYN, with ECE: ECN is offered; later: the sender knows of the mark and has slowed down", "handshake", "--capture handshake", true},
	{tcp.AE, "9768", "accurate ECN: a counter of three bits, with CWR and ECE; it was NS, of RFC 3540", "", "", false},
}

// flagsTable has the flags from the lowest bit up.
func flagsTable(*testing.T) string {
	var rows [][]string
	for _, f := range flagsShown {
		seen := "no scenario"
		if f.scenario != "" {
			seen = fmt.Sprintf("[%s](scenarios/%s.md): `echoc %s`", f.scenario, f.scenario, f.args)
		}
		if f.ecn {
			seen += ", with ECN on (below)"
		}
		rows = append(rows, []string{f.flag.String(), fmt.Sprintf("`0x%03x`", uint16(f.flag)), f.says, "RFC " + f.rfc, seen})
	}
	return markdown([]string{"flag", "bit", "what it says", "defined in", "seen in"}, rows)
}

// Each flag that the table has a scenario for is set by a segment of that run.
func TestEveryFlagIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("plays what sets them")
	}
	for _, f := range flagsShown {
		if f.args == "" {
			continue
		}
		t.Run(f.flag.String(), func(t *testing.T) {
			beside(t)
			if f.ecn {
				if os.Geteuid() != 0 {
					t.Skip("sets a sysctl: run it as root")
				}
				setSysctl(t, "tcp_ecn", "1")
			}
			set := map[string]bool{}
			for _, e := range eventsOf(t, onTheWire(t, f.args)) {
				for _, name := range e.Flags {
					set[name] = true
				}
			}
			if !set[f.flag.String()] {
				t.Errorf("echoc %s has %v", f.args, slices.Sorted(maps.Keys(set)))
			}
		})
	}
}

// The drawing has the flags where internal/segment reads them, and rows of 32 bits.
func TestTheHeaderIsDrawn(t *testing.T) {
	for _, row := range headerRows {
		at := 0
		for _, f := range row {
			at += f.bits
			if f.bits == 1 {
				if got := tcp.Flags(1 << (16 - at)); got.String() != f.name {
					t.Errorf("bit %d is drawn as %s, and is %s", at-1, f.name, got)
				}
			}
		}
		if at != 32 {
			t.Errorf("%v: %d bits", row, at)
		}
	}
	isFile(t, "header.svg", drawnHeader())
}

func drawnHeader() string {
	const bit, left, high = 24, 16, 40
	p, y := &pen{}, 62
	p.text(left, 26, "h", "The TCP header")
	for b := range 32 {
		p.text(left+b*bit+bit/2, 52, "mid p", fmt.Sprint(b))
	}
	var says []string
	for i, row := range headerRows {
		tall, x := high, left
		if len(row) > 2 {
			tall = 58
		}
		for _, f := range row {
			wide := f.bits * bit
			class := "none"
			switch {
			case f.bits == 1 && slices.Contains([]string{"AE", "CWR", "ECE"}, f.name):
				class = "wait"
			case f.bits == 1:
				class = "active"
			case i >= 5:
				class = "void"
			}
			fmt.Fprintf(p, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"/>`+"\n", class, x, y, wide, tall)
			switch mid := x + wide/2; {
			case f.bits == 1:
				for k, c := range strings.Split(f.name, "") {
					p.text(mid, y+(tall-15*len(f.name))/2+12+15*k, "mid b", c)
				}
			case f.bits < 8:
				for k, word := range strings.Fields(f.name) {
					p.text(mid, y+tall/2+5+15*k-7*(len(strings.Fields(f.name))-1), "mid", word)
				}
			default:
				p.text(mid, y+tall/2+5, "mid", f.name)
			}
			x += wide
			says = append(says, fmt.Sprintf("%s, %d bits", f.name, f.bits))
		}
		y += tall
		if i == 4 {
			p.text(left+32*bit, y+20, "end p", "up to here 20 bytes: as long as every header is, at least")
			y += 32
		}
	}
	says[len(says)-2], says[len(says)-1] = "Options", "Data"
	return svgFile(800, y+16, "The TCP header", "From the first bit: "+strings.Join(says, "; ")+".", p.String())
}
