package lab

import (
	"net/netip"
	"strings"
	"testing"

	"socklife/internal/segment"
)

// Each rule, and how it is written back.
var goodRules = []struct{ text, canonical string }{
	{"drop client syn 1", ""},
	{"drop client syn", ""},
	{"hold any fin", ""},
	{"hold fin", "hold any fin"},
	{"dup server syn+ack", ""},
	{"dup server ack+syn times 2", "dup server syn+ack times 2"},
	{"dup server syn+ack times 1", "dup server syn+ack"},
	{"delay client ack after server fin 300ms", ""},
	{"delay client ack after server fin 2 300ms", ""},
	{"delay 200ms", "delay any 200ms"},
	{"delay every 200ms", "delay any 200ms"},
	{"delay every 2 200ms", "delay any every 2 200ms"},
	{"delay any 3 90s", "delay any 3 1m30s"},
	{"reorder server data 2 by 3", ""},
	{"reorder server data 2 by 1 within 100ms", "reorder server data 2"},
	{"reorder server data within 5ms", ""},
	{"drop server data 2..3", ""},
	{"drop server data 2..", ""},
	{"drop server data 1..", "drop server data"},
	{"drop server data 2..2", "drop server data 2"},
	{"drop client ack 1 after server fin", ""},
	{"drop client ack 1 after server fin 2", ""},
	{"drop client ack 1 after fin 1", "drop client ack 1 after any fin"},
	{"drop any rst", ""},
	{"drop client data>=1000", ""},
	{"drop client data<=1000", ""},
	{"drop client data=1", ""},
	{"drop client data<=1", "drop client data=1"},
	{"drop client data>=1", "drop client data"},
	{"drop server syn+ack every", "drop server syn+ack"},
	{"drop any data every 20", ""},
	{"drop server bytes 1001 1..2", ""},
	{"drop server bytes 1..100 new", ""},
	{"drop server bytes 5.. again port 7 2", ""},
	{"drop any", ""},
	{"drop client", ""},
	{"hold server 5", ""},
	{"drop unreachable", "drop any unreachable"},
	{"drop server unreachable port 7", ""},
	{"drop server port 7 unreachable", "drop server unreachable port 7"},
	{"  DROP\tClient  SYN+Ack 1 ", "drop client syn+ack 1"},
	{"drop client fin data", ""},
	{"drop client data fin", "drop client fin data"},
	{"drop client psh+urg", ""},
	{"drop client fin+ack", ""},
	{"drop client after server syn+ack", ""},
	{"drop client after any 5", ""},
}

func TestRuleText(t *testing.T) {
	for _, c := range goodRules {
		want := c.canonical
		if want == "" {
			want = c.text
		}
		r, err := ParseRule(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%s: written back as %q, want %q", c.text, r, want)
		}
	}
}

func TestRuleErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `rule "": at its end: want drop, hold, dup, delay or reorder`},
		{"drop", `at its end: want which packets to drop, as client syn 1; any is all of them`},
		{"lose client syn", `"lose": want drop, hold, dup, delay or reorder`},
		{"drop clinet syn", `"clinet": want client, server, any, a flag (syn, syn+ack, ack, fin, rst, psh, urg), data, bytes, new, again, port, unreachable, every, a number or a range or after`},
		{"drop client sin 1", `"sin": want a flag (syn, `},
		{"drop Client SYN,ACK", `"SYN,ACK": want a flag (syn, syn+ack, ack, fin, rst, psh, urg), data, bytes, new, again, port, unreachable, every`},
		{"drop client syn ack", `"ack": flags that are set together are joined with +, as syn+ack`},
		{"drop client ack data", `"data": ack alone is a pure acknowledgement: it has no data`},
		{"drop client data ack", `"ack": ack alone is a pure acknowledgement: it has no data and is never a retransmission`},
		{"drop client ack bytes 1", `"bytes": ack alone is a pure acknowledgement: it has no bytes`},
		{"drop client ack again", `"again": ack alone is a pure acknowledgement: it is never a retransmission`},
		{"drop client syn+syn", `"syn+syn": want a flag`},
		{"drop client data >= 1000", `">=": want`},
		{"drop client data>1000", `"data>1000": want data, data=1, data>=1000 or data<=1000, in one word`},
		{"drop client data>=", `"data>=": want data, data=1`},
		{"drop client data=0", `"data=0": want data`},
		{"drop client data=+5", `"data=+5": want data`},
		{"drop client data data", `"data": data is there already`},
		{"drop client bytes", `at its end: want which bytes, as 1..100`},
		{"drop client bytes x", `"x": want which bytes, as 1..100`},
		{"drop client bytes 0", `"0": want a number or a range from 1, as 2, 2..3 or 2..`},
		{"drop client bytes 5 bytes 6", `"bytes": bytes are there already`},
		{"drop client new again", `"again": new and again exclude each other`},
		{"drop client port", `at its end: want a port, from 1 to 65535`},
		{"drop client port 0", `"0": want a number from 1 to 65535`},
		{"drop client port http", `"http": want a port, from 1 to 65535`},
		{"drop client port 7 port 8", `"port": a port is there already`},
		{"drop client unreachable syn", `"syn": an unreachable is ICMP: it has no flags`},
		{"drop client unreachable data", `"data": an unreachable is ICMP: it has no data`},
		{"drop client unreachable again", `"again": an unreachable is ICMP: it has no sequence number`},
		{"drop client syn unreachable", `"unreachable": an unreachable is ICMP and has no traits but a port`},
		{"drop client syn 0", `"0": want a number or a range from 1`},
		{"drop client syn 3..2", `"3..2": want a number or a range from 1`},
		{"drop client syn 1...2", `"1...2": want a number or a range from 1`},
		{"drop client syn ..2", `"..2": want `},
		{"drop client syn -1", `"-1": want `},
		{"drop client syn 99999999999999999999", `"99999999999999999999": want a number or a range`},
		{"drop client syn 1 2", `"2": want after`},
		{"drop client syn 1 server", `"server": want after`},
		{"drop client syn every x", `"x": want a number or after`},
		{"drop client after", `at its end: want what it comes after, as server fin`},
		{"drop client after server fin 0", `"0": want a number from 1`},
		{"drop client after server fin 1..2", `"1..2": want a number from 1`},
		{"drop client after server fin 1 after", `"after": want nothing more`},
		{"drop client syn 300ms", `"300ms": want`},
		{"drop client syn times 2", `"times": want`},
		{"delay", `at its end: want a duration, as 300ms or 1.5s`},
		{"delay client syn", `at its end: want a duration, as 300ms or 1.5s`},
		{"delay client syn 300", `at its end: want a duration, as 300ms or 1.5s`},
		{"delay client 1 300", `"300": want a duration up to 1h0m0s, as 300ms or 1.5s`},
		{"delay client syn -3s", `"-3s": want `},
		{"delay client syn 0s", `"0s": want a duration up to 1h0m0s`},
		{"delay client syn 2h", `"2h": want a duration up to 1h0m0s`},
		{"delay client sin 300ms", `"sin": want a flag`},
		{"dup client syn times", `at its end: want how many copies, from 1 to 100`},
		{"dup client syn times 0", `"0": want a number from 1 to 100`},
		{"dup client syn times 1000", `"1000": want a number from 1 to 100`},
		{"dup client syn by 2", `"by": want data, bytes, new, again, port, every, a number or a range, after or times`},
		{"reorder client data by", `at its end: want how many packets overtake, from 1 to 1000`},
		{"reorder client data by 2 by 3", `"by": want within`},
		{"reorder client data within", `at its end: want a duration`},
		{"drop\x00client", `"drop\x00client": want drop`},
	} {
		_, err := ParseRule(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		} else if strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: the error is not one line: %q", c.text, err)
		}
	}
}

func TestActionRule(t *testing.T) {
	r, err := Drop.Rule("client syn 1")
	if err != nil || r.String() != "drop client syn 1" || r.action != Drop || r.match.String() != "client syn 1" {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := Hold.Rule("hold client syn"); err == nil || !strings.Contains(err.Error(), `"hold": want client`) {
		t.Errorf("got %v", err)
	}
	if m, err := ParseMatch("client syn 1 drop"); err == nil {
		t.Errorf("got %v", m)
	}
	if m, err := ParseMatch(""); err == nil {
		t.Errorf("got %v", m)
	}
}

func FuzzRule(f *testing.F) {
	for _, c := range goodRules {
		f.Add(c.text)
	}
	f.Add("drop client data>=1000 bytes 1.. again port 7 2..3 after server syn+ack 2")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRule(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		again, err := ParseRule(r.String())
		if err != nil {
			t.Fatalf("%q is written back as %q: %v", s, r, err)
		}
		if again != r || again.String() != r.String() {
			t.Fatalf("%q is written back as %q and then as %q", s, r, again)
		}
	})
}

// pkt makes a packet as the wire sees it.
func pkt(from Side, flags segment.Flags, n int) Packet {
	return Packet{From: from, Byte: 1, Segment: segment.Segment{
		Src: netip.MustParseAddrPort("198.51.100.1:40000"), Dst: netip.MustParseAddrPort("198.51.100.2:7"),
		Flags: flags, Payload: make([]byte, n),
	}}
}

func TestMatchFits(t *testing.T) {
	const (
		syn, ack, fin, rst = segment.SYN, segment.ACK, segment.FIN, segment.RST
		psh, urg           = segment.PSH, segment.URG
	)
	at := func(p Packet, b int64) Packet { p.Byte = b; return p }
	again := func(p Packet) Packet { p.Again = true; return p }
	icmp := Packet{From: Server, ICMP: &segment.ICMP{Dst: netip.MustParseAddrPort("198.51.100.2:7")}}
	for _, c := range []struct {
		match string
		p     Packet
		want  bool
	}{
		{"any", pkt(Client, syn, 0), true},
		{"client", pkt(Client, syn, 0), true},
		{"server", pkt(Client, syn, 0), false},
		{"syn", pkt(Client, syn, 0), true},
		{"syn", pkt(Server, syn|ack, 0), false},
		{"syn", pkt(Client, syn|segment.ECE|segment.CWR, 0), true},
		{"syn+ack", pkt(Server, syn|ack, 0), true},
		{"syn+ack", pkt(Client, syn, 0), false},
		{"syn+ack", pkt(Client, ack, 0), false},
		{"ack", pkt(Client, ack, 0), true},
		{"ack", pkt(Client, ack|psh, 1), false},
		{"ack", pkt(Client, ack|fin, 0), false},
		{"ack", pkt(Client, ack|rst, 0), false},
		{"ack", pkt(Server, syn|ack, 0), false},
		{"fin", pkt(Client, ack|fin, 0), true},
		{"fin", pkt(Client, ack|fin|psh, 9), true},
		{"fin+ack", pkt(Client, ack|fin, 0), true},
		{"fin data", pkt(Client, ack|fin, 0), false},
		{"fin data", pkt(Client, ack|fin, 1), true},
		{"rst", pkt(Client, rst, 0), true},
		{"rst+ack", pkt(Client, rst, 0), false},
		{"urg", pkt(Client, ack|urg|psh, 1), true},
		{"psh+urg", pkt(Client, ack|urg, 1), false},
		{"data", pkt(Client, ack, 1), true},
		{"data", pkt(Client, ack, 0), false},
		{"data>=10", pkt(Client, ack, 9), false},
		{"data>=10", pkt(Client, ack, 10), true},
		{"data<=10", pkt(Client, ack, 10), true},
		{"data<=10", pkt(Client, ack, 11), false},
		{"data<=10", pkt(Client, ack, 0), false},
		{"data=10", pkt(Client, ack, 10), true},
		{"data=10", pkt(Client, ack, 11), false},
		{"bytes 100", at(pkt(Client, ack, 50), 51), true},
		{"bytes 101", at(pkt(Client, ack, 50), 51), false},
		{"bytes 51", at(pkt(Client, ack, 50), 51), true},
		{"bytes 50", at(pkt(Client, ack, 50), 51), false},
		{"bytes 1..60", at(pkt(Client, ack, 50), 51), true},
		{"bytes 60..70", at(pkt(Client, ack, 50), 51), true},
		{"bytes 60..", at(pkt(Client, ack, 1), 1000), true},
		{"bytes 60..", at(pkt(Client, ack, 0), 0), false},
		{"again", again(pkt(Client, ack, 50)), true},
		{"again", pkt(Client, ack, 50), false},
		{"new", pkt(Client, ack, 50), true},
		{"new", again(pkt(Client, ack, 50)), false},
		{"port 7", pkt(Client, ack, 0), true},
		{"port 40000", pkt(Client, ack, 0), true},
		{"port 8", pkt(Client, ack, 0), false},
		{"unreachable", icmp, true},
		{"unreachable", pkt(Server, rst, 0), false},
		{"unreachable port 7", icmp, true},
		{"unreachable port 8", icmp, false},
		{"client unreachable", icmp, false},
		{"any", icmp, true},
		{"server", icmp, true},
		{"data", icmp, false},
		{"rst", icmp, false},
		{"new", icmp, false},
	} {
		if got := MustMatch(c.match).Fits(c.p); got != c.want {
			t.Errorf("%s fits %v from %v: %v, want %v", c.match, c.p.Segment, c.p.From, got, c.want)
		}
	}
}

func TestMatchCounts(t *testing.T) {
	const ack, fin = segment.ACK, segment.FIN
	data := pkt(Client, ack, 1)
	stream := []Packet{data, data, pkt(Server, fin|ack, 0), data, pkt(Server, fin|ack, 0), data, data, data}
	for _, c := range []struct{ match, want string }{
		{"client data", "xx.x.xxx"},
		{"client data 1", "x......."},
		{"client data 2..3", ".x.x...."},
		{"client data 4..", ".....xxx"},
		{"client data every", "xx.x.xxx"},
		{"client data every 2", ".x...x.x"},
		{"client data 1 after server fin", "...x...."},
		{"client data after server fin 2", ".....xxx"},
		{"client data 2 after server fin 2", "......x."},
		{"server fin after server fin", "....x..."},
		{"any after client 3", "....xxxx"},
	} {
		a := Active{rule: Rule{match: MustMatch(c.match)}}
		got := ""
		for i := range stream {
			if a.sees(&stream[i]) {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s: took %s, want %s", c.match, got, c.want)
		}
	}
}
