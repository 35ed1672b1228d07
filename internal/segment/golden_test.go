package segment

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "capture the golden files anew (as root), and write what is made of them")

// save keeps the start of each captured packet as a golden capture.
func (c *capture) save() {
	if !*update {
		return
	}
	name := strings.ReplaceAll(strings.TrimPrefix(c.t.Name(), "TestKernel"), "/", "-")
	var b bytes.Buffer
	w, err := NewPcapWriter(&b, PcapInfo{OS: "Linux", Application: "test"})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := w.AddInterface(PcapInterface{Name: "lo"}); err != nil {
		c.t.Fatal(err)
	}
	for _, p := range c.raw {
		const lengthAt = 24 // in the block: how long the packet was
		block, length := b.Len(), len(p.Data)
		p.Data = p.Data[:min(length, 96)]
		if err := w.WritePacket(p); err != nil {
			c.t.Fatal(err)
		}
		binary.LittleEndian.PutUint32(b.Bytes()[block+lengthAt:], uint32(length))
	}
	if err := os.WriteFile(filepath.Join("testdata", strings.ToLower(name)+".pcapng"), b.Bytes(), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// Segments that a real kernel sent, in captures that are cut short, and the lines that are made of them.
func TestGoldenCaptures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.pcapng")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			trace := readTrace(t, file)
			golden := strings.TrimSuffix(file, "pcapng") + "golden"
			if *update {
				if err := os.WriteFile(golden, []byte(lines(trace)), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(trace); got != string(want) {
				t.Errorf("%s:\n%s\nwant\n%s", file, got, want)
			}
			if !strings.Contains(file, "refusal") { // tshark has another number for its reset
				compareFileWithTshark(t, file, trace)
			}
		})
	}
}

func readTrace(t *testing.T, file string) (trace []timed) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, blk := range readBlocks(t, b) {
		if blk.kind == blockEnhancedPacket {
			ns := uint64(binary.LittleEndian.Uint32(blk.body[4:]))<<32 | uint64(binary.LittleEndian.Uint32(blk.body[8:]))
			trace = append(trace, timed{time.Unix(0, int64(ns)), mustDecode(t, blk.data)})
		}
	}
	return trace
}

// lines is a trace as text: what the client sends with >, what the server sends with <.
func lines(trace []timed) string {
	var flow Flow
	var b strings.Builder
	for _, p := range trace {
		arrow := '>'
		if p.s.Src != trace[0].s.Src {
			arrow = '<'
		}
		fmt.Fprintf(&b, "%c %s\n", arrow, flow.Add(p.at, p.s))
	}
	return b.String()
}
