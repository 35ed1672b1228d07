package tcpinfo

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

var record = flag.Bool("record", false, "record testdata/replies anew from the kernel that runs")

// Replies of Linux 6.18 on a little-endian machine: whole datagrams, one a file, and what they are decoded to.
const repliesDir = "testdata/replies"

// recordedReplies are the datagrams by name.
func recordedReplies(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repliesDir, "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded replies in %s: %v", repliesDir, err)
	}
	replies := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		replies[strings.TrimSuffix(filepath.Base(f), ".bin")] = b
	}
	return replies
}

// recordedBodies are the bodies of the sock_diag messages in them.
func recordedBodies(t testing.TB) (bodies [][]byte) {
	t.Helper()
	for _, b := range recordedReplies(t) {
		for {
			m, rest, ok, err := nextMessage(b)
			if err != nil || !ok {
				break
			}
			if m.Type == sockDiagByFamily {
				bodies = append(bodies, m.Data)
			}
			b = rest
		}
	}
	return bodies
}

func TestRecordedReplies(t *testing.T) {
	if bigEndian {
		t.Skip("they were recorded on a little-endian machine: run this on one")
	}
	if *record {
		recordReplies(t)
	}
	for name, b := range recordedReplies(t) {
		t.Run(name, func(t *testing.T) {
			got := describe(t, b)
			golden := filepath.Join(repliesDir, name+".json")
			if *record {
				writeFile(t, golden, got)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, got, want) {
				t.Errorf("decoded to\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// sameJSON compares what is said, in whatever order an object's members are.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	read := func(text []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	return reflect.DeepEqual(read(a), read(b))
}

// describe decodes a datagram as Linux 6.18 made it.
func describe(t *testing.T, b []byte) []byte {
	t.Helper()
	var list []any
	for {
		m, rest, ok, err := nextMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		b = rest
		switch m.Type {
		case sockDiagByFamily:
			var s Socket
			if err := (&decoder{kernel: release{6, 18}}).decode(&s, m.Data); err != nil {
				t.Fatal(err)
			}
			list = append(list, s)
		default:
			a, err := parseAck(m)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, map[string]any{"type": m.Type, "errno": unix.ErrnoName(a.errno), "words": a.detail})
		}
	}
	out, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// tap keeps what the kernel sends.
type tap struct {
	transport
	last []byte
}

func (p *tap) recv(b []byte) (int, error) {
	n, err := p.transport.recv(b)
	if err == nil {
		p.last = append([]byte(nil), b[:n]...)
	}
	return n, err
}

func recordReplies(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(repliesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := dial(t)
	p := &tap{transport: c.t}
	c.t = p
	for _, e := range mixEnds {
		recordMix(t, c, p, e)
	}
	nowhere := netip.MustParseAddrPort("127.0.0.1:1")
	if _, err := c.lookup(nowhere, nowhere, 0); err == nil {
		t.Fatal("something is connected to port 1")
	}
	writeFile(t, filepath.Join(repliesDir, "error-enoent.bin"), p.last)
	if err := c.dumpStates(request{family: unix.AF_INET}, []byte{99, 4, 8, 0}, nil); err == nil {
		t.Fatal("a wrong program was accepted")
	}
	writeFile(t, filepath.Join(repliesDir, "error-einval.bin"), p.last)
	if err := c.dumpStates(request{family: unix.AF_INET}, nil, nil); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(repliesDir, "done.bin"), p.last)
}

// recordMix records one socket in each state between IPv4 addresses, and some between others.
func recordMix(t *testing.T, c *Conn, p *tap, e ends) {
	t.Helper()
	m := newMix(t, e)
	m.settle(c)
	done := map[State]bool{}
	if e.serverFamily != unix.AF_INET {
		done = map[State]bool{SynSent: true, FinWait1: true, FinWait2: true, CloseWait: true, LastAck: true, Closing: true, Closed: true}
	}
	for _, s := range m.list {
		if done[s.state] || s.state == Established && s.timer != TimerPersist {
			continue
		}
		done[s.state] = true
		got, err := c.Lookup(s.local, s.remote, 0)
		if err != nil || got.State != s.state {
			t.Fatalf("%v: %v, %v", s, got.State, err)
		}
		writeFile(t, filepath.Join(repliesDir, strings.ToLower(e.name+"-"+s.state.String())+".bin"), p.last)
	}
}

func writeFile(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
