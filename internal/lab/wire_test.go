package lab

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"socklife/internal/segment"
)

func TestWireDelivers(t *testing.T) {
	t.Parallel()
	_, client, server, seen := fakeWire(t, Config{})
	client.send(1, "a", "b")
	server.want("a", "b")
	server.send(1, "c")
	client.want("c")
	client.send(1, "a") // again
	server.want("a")
	seen.wantStory(t, `
		1 client "a" delivered
		2 client "b" delivered
		3 server "c" delivered
		4 client "a" delivered again
	`)
	for i, p := range seen.all() {
		if p.At.Before(p.Seen) || !bytes.Equal(p.Raw, raw(p.From, segment.ACK, p.Segment.Seq, string(p.Segment.Payload))) {
			t.Errorf("packet %d: %+v", i, p)
		}
	}
}

func TestWireRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, sent, arrives, story string }{
		{"drop client data 2", "abc", "ac", `
			1 client "a" delivered
			2 client "b" dropped by drop client data 2
			3 client "c" delivered
		`},
		{"dup client data 1 times 2", "ab", "aaab", `
			1 client "a" delivered
			2 client "a" duplicated of 1 by dup client data 1 times 2
			3 client "a" duplicated of 1 by dup client data 1 times 2
			4 client "b" delivered
		`},
		{"reorder client data 1 within 1h", "abc", "bac", `
			1 client "a" reordered by reorder client data 1 within 1h0m0s
			2 client "b" delivered
			1 client "a" delivered by reorder client data 1 within 1h0m0s late
			3 client "c" delivered
		`},
		{"reorder client data 1 by 2 within 1h", "abc", "bca", `
			1 client "a" reordered by reorder client data 1 by 2 within 1h0m0s
			2 client "b" delivered
			3 client "c" delivered
			1 client "a" delivered by reorder client data 1 by 2 within 1h0m0s late
		`},
		{"reorder client data 1 within 1ms", "a", "a", `
			1 client "a" reordered by reorder client data 1 within 1ms
			1 client "a" delivered by reorder client data 1 within 1ms
		`},
		{"delay client data 1 5ms", "a", "a", `
			1 client "a" delayed by delay client data 1 5ms
			1 client "a" delivered by delay client data 1 5ms
		`},
		{"reorder client data 1..2 within 1h", "abc", "bac", `
			1 client "a" reordered by reorder client data 1..2 within 1h0m0s
			2 client "b" reordered by reorder client data 1..2 within 1h0m0s
			3 client "c" delivered
			1 client "a" delivered by reorder client data 1..2 within 1h0m0s late
			2 client "b" delivered by reorder client data 1..2 within 1h0m0s late
		`},
	} {
		t.Run(c.rules, func(t *testing.T) {
			t.Parallel()
			_, client, server, seen := fakeWire(t, Config{Rules: MustRules(c.rules)})
			client.send(1, split(c.sent)...)
			if c.rules == "reorder client data 1..2 within 1h" {
				server.want("c", "a", "b")
			} else {
				server.want(split(c.arrives)...)
			}
			seen.wantStory(t, c.story)
		})
	}
}

func split(s string) []string {
	var letters []string
	for i := range len(s) {
		letters = append(letters, s[i:i+1])
	}
	return letters
}

func TestWireRulesTogether(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{Rules: MustRules(
		"delay client data 1 1ms", "hold client data 1", "drop client data 1", "dup client data 2", "hold client data 2")})
	client.send(1, "a", "b", "c")
	held := awaitHeld(t, w, 1)
	server.want("c")
	if err := w.Release(held[0].ID); err != nil {
		t.Fatal(err)
	}
	server.want("b")
	seen.wantStory(t, `
		1 client "a" dropped by drop client data 1
		2 client "b" held by hold client data 2
		3 client "c" delivered
		2 client "b" delivered by hand late
	`)
}

func TestWireAddRemove(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{})
	client.send(1, "a")
	server.want("a")
	added := w.Add(MustRules("drop client data", "drop server data 1")...)
	client.send(2, "b")
	await(t, "b is dropped", func() bool { return seen.count(Client, Dropped) == 1 })
	added[0].Remove()
	added[0].Remove()
	client.send(3, "c")
	server.want("c")
	if rules := w.Rules(); len(rules) != 1 || rules[0] != added[1] {
		t.Errorf("left: %v", rules)
	}
}

func TestWireByHand(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{HoldAll: true})
	client.send(1, "a", "b", "c", "d", "e")
	held := awaitHeld(t, w, 5)
	client.send(1, "a") // a retransmission piles up behind
	again := awaitHeld(t, w, 6)[5]
	if !again.Again || again.ID != 6 || string(again.Segment.Payload) != "a" {
		t.Errorf("the retransmission: %+v", again)
	}
	id := func(i int) uint64 { return held[i].ID }
	steps := []func() error{
		func() error { return w.Release(id(1)) },                    // b
		func() error { return w.Drop(id(2)) },                       // c
		func() error { return w.Swap(id(0), id(3)) },                // d a
		func() error { _, err := w.Duplicate(id(0)); return err },   // a'
		func() error { return w.Delay(again.ID, time.Microsecond) }, // a again
		func() error { server.want("b", "a"); return nil },
		func() error { w.HoldAll(false); client.send(6, "f"); return nil }, // passes by what is held
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	server.want("f")
	if n := w.ReleaseAll(); n != 4 {
		t.Errorf("%d were held, want 4", n)
	}
	server.want("d", "a", "a", "e")
	seen.wantStory(t, `
		1 client "a" held by step
		2 client "b" held by step
		3 client "c" held by step
		4 client "d" held by step
		5 client "e" held by step
		6 client "a" held by step again
		2 client "b" delivered by hand
		3 client "c" dropped by hand
		7 client "a" held of 1 by hand
		6 client "a" delayed by hand again
		6 client "a" delivered by hand again
		8 client "f" delivered
		4 client "d" delivered by hand late
		1 client "a" delivered by hand late
		7 client "a" duplicated of 1 by hand late
		5 client "e" delivered by hand late
	`)
	for _, err := range []error{w.Release(1), w.Drop(99), w.Swap(1, 2), w.Delay(0, 0)} {
		if err == nil || !strings.HasSuffix(err.Error(), " is held") {
			t.Errorf("got %v", err)
		}
	}
	if w.ReleaseAll() != 0 {
		t.Error("something was still held")
	}
}

func TestWireHoldRuleKeepsRetransmissionsApart(t *testing.T) {
	t.Parallel()
	w, client, server, _ := fakeWire(t, Config{Rules: MustRules("hold client bytes 2")})
	client.write(raw(Client, segment.SYN, 99, ""))
	client.send(100, "ab", "cd")
	client.send(100, "ab")
	client.send(101, "bc")
	server.want("", "cd")
	held := awaitHeld(t, w, 3)
	for i, want := range []struct {
		data  string
		at    int64
		again bool
	}{{"ab", 1, false}, {"ab", 1, true}, {"bc", 2, true}} {
		p := held[i]
		if string(p.Segment.Payload) != want.data || p.Byte != want.at || p.Again != want.again {
			t.Errorf("held %d: %q at %d again %v, want %+v", i, p.Segment.Payload, p.Byte, p.Again, want)
		}
	}
}

func TestAwaitHeld(t *testing.T) {
	t.Parallel()
	w, client, _, _ := fakeWire(t, Config{HoldAll: true})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got := make(chan Packet, 1)
	go func() {
		p, err := w.AwaitHeld(ctx, MustMatch("client fin"))
		if err != nil {
			t.Error(err)
		}
		got <- p
	}()
	client.send(1, "a")
	client.write(raw(Client, segment.FIN|segment.ACK, 2, ""))
	if p := <-got; p.ID != 2 {
		t.Errorf("got %+v", p)
	}
	soon, cancelSoon := context.WithCancel(ctx)
	cancelSoon()
	if _, err := w.AwaitHeld(soon, MustMatch("server rst")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := w.AwaitHeld(ctx, MustMatch("server rst"))
		failed <- err
	}()
	w.close()
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	<-w.Changed() // it stays closed
}

func TestWireInject(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{Rules: MustRules("drop any")})
	if err := w.Inject(Client, raw(Client, segment.RST, 7, "")); err != nil {
		t.Fatal(err)
	}
	server.want("")
	if err := w.Inject(Server, raw(Server, segment.ACK, 7, "x")); err != nil {
		t.Fatal(err)
	}
	client.want("x")
	seen.wantStory(t, `
		1 client RST delivered by injected
		2 server "x" delivered by injected
	`)
	w.close()
	if err := w.Inject(Client, raw(Client, segment.RST, 7, "")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestWireKeepsOrderWithDelay(t *testing.T) {
	t.Parallel()
	_, client, server, seen := fakeWire(t, Config{Link: Link{Delay: 3 * time.Millisecond}})
	letters := split("abcdefghijklmnopqrstuvwxyz")
	client.send(1, letters...)
	server.want(letters...)
	for _, p := range seen.all() {
		if p.Late || p.By != ByLink {
			t.Errorf("%+v", p)
		}
		if p.Fate == Delivered && p.At.Sub(p.Seen) < 3*time.Millisecond {
			t.Errorf("%q came after %v", p.Segment.Payload, p.At.Sub(p.Seen))
		}
	}
}

func TestLinkChanceIsRepeatable(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		_, client, _, seen := fakeWire(t, Config{
			Link:  Link{Loss: 0.3, Seed: seed},
			Rules: MustRules("hold client port 9"), // no packet has it
		})
		client.send(1, split("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz")...)
		await(t, "all were seen", func() bool { return len(decisions(seen)) >= 52 })
		return string(decisions(seen))
	}
	first := run(1)
	if again := run(1); again != first {
		t.Errorf("seed 1 decided\n%s and then\n%s", first, again)
	}
	if other := run(2); other == first {
		t.Errorf("seeds 1 and 2 decided the same: %s", first)
	}
}

// decisions are what became of each packet: d for delivered, x for dropped.
func decisions(seen *recorder) []byte {
	var b []byte
	for _, p := range seen.all() {
		b = append(b, map[Fate]byte{Delivered: 'd', Dropped: 'x'}[p.Fate])
	}
	return b
}

func TestLinkChanceIsFair(t *testing.T) {
	t.Parallel()
	const n = 200000
	for _, p := range []float64{0, 0.01, 0.05, 0.5, 1} {
		for _, side := range []Side{Client, Server} {
			hits := 0
			for i := range uint64(n) {
				if (Link{Loss: p, Seed: 42}).loses(side, i+1) {
					hits++
				}
			}
			// Six standard deviations: once in half a billion tests, if chance were chance.
			if diff := math.Abs(float64(hits) - p*n); diff > 6*math.Sqrt(p*(1-p)*n) {
				t.Errorf("probability %v of %v: %d of %d", p, side, hits, n)
			}
		}
	}
}

func TestLinkCheck(t *testing.T) {
	t.Parallel()
	for _, l := range []Link{{Loss: -0.1}, {Loss: 1.1}, {Loss: math.NaN()}, {Delay: -1}, {Delay: 2 * time.Hour}} {
		if _, err := New(Config{Link: l}); err == nil {
			t.Errorf("New: %+v was accepted", l)
		}
	}
}

func TestWireIgnoresWhatIsNotTCP(t *testing.T) {
	t.Parallel()
	_, client, server, seen := fakeWire(t, Config{})
	udp := raw(Client, segment.ACK, 1, "xx")
	udp[9] = 17
	client.write(udp)
	client.write([]byte{0x45})
	ping := raw(Client, segment.ACK, 1, "xx")
	ping[9], ping[20] = 1, 8
	client.write(ping)
	unreach := raw(Client, segment.ACK, 1, "xx")
	unreach[9], unreach[20], unreach[21] = 1, 3, 3
	client.write(unreach)
	client.send(1, "a")
	buf := make([]byte, 100)
	if n := server.read(buf); !bytes.Equal(buf[:n], unreach) {
		t.Errorf("got % x", buf[:n])
	}
	server.want("a")
	seen.wantStory(t, `
		1 client ICMP destination unreachable (port unreachable) delivered
		2 client "a" delivered
	`)
}

// What is held while other packets have passed is numbered as they are.
func TestWireHoldsLater(t *testing.T) {
	t.Parallel()
	w, client, server, _ := fakeWire(t, Config{})
	client.write(raw(Client, segment.SYN, 99, ""))
	client.send(100, "a", "b")
	server.want("", "a", "b")
	w.HoldAll(true)
	client.send(101, "b", "c")
	held := awaitHeld(t, w, 2)
	if !held[0].Again || held[0].Number != 4 || held[0].Byte != 2 || held[1].Again || held[1].Byte != 3 {
		t.Errorf("held: %+v", held)
	}
	w.HoldAll(false)
	client.send(103, "d")
	server.want("d")
	w.ReleaseAll()
	server.want("b", "c")
}

func TestWireRefused(t *testing.T) {
	t.Parallel()
	_, client, server, seen := fakeWire(t, Config{})
	server.shut() // from now on writes to it fail, as they do to an interface that is down
	client.send(1, "a")
	await(t, "the packet is refused", func() bool { return seen.count(Client, Dropped) == 1 })
	seen.wantStory(t, `
		1 client "a" delivered
		1 client "a" dropped by kernel
	`)
}

func TestFlows(t *testing.T) {
	t.Parallel()
	fs := flows{}
	conn := func(port uint16, flags segment.Flags, seq uint32, n int) segment.Segment {
		return segment.Segment{
			Src: netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), port), Dst: netip.MustParseAddrPort("[2001:db8::2]:7"),
			Flags: flags, Seq: seq, Payload: make([]byte, n),
		}
	}
	const syn, ack, fin, rst = segment.SYN, segment.ACK, segment.FIN, segment.RST
	const top = math.MaxUint32
	for i, c := range []struct {
		s     segment.Segment
		again bool
		at    int64
	}{
		{conn(1, syn, top-1, 0), false, 0},
		{conn(1, syn, top-1, 0), true, 0},
		{conn(1, ack, top, 0), false, 0},
		{conn(1, ack, top, 10), false, 1},
		{conn(2, ack, 5000, 10), false, 1}, // its SYN was not seen
		{conn(1, ack, 9, 10), false, 11},   // the number wrapped
		{conn(1, ack, top, 10), true, 1},
		{conn(1, ack, top-1, 0), false, 0}, // a keepalive probe repeats nothing
		{conn(1, ack, 29, 10), false, 31},  // a gap
		{conn(1, ack, 19, 10), true, 21},   // what was in it
		{conn(1, ack, 35, 10), true, 37},   // partly new
		{conn(1, ack|fin, 45, 5), false, 47},
		{conn(1, ack|fin, 50, 0), true, 0},
		{conn(1, rst, 51, 0), false, 0},
		{conn(1, syn, 777, 0), false, 0}, // the ports are used again
		{conn(1, syn|ack, 777, 0), true, 0},
		{conn(1, ack, 778, 3), false, 1},
		{conn(3, syn, 5, 3), false, 1}, // data in the SYN: TCP Fast Open
	} {
		again, at := fs.find(&c.s).place(&c.s)
		if again != c.again || at != c.at {
			t.Errorf("%d: %v len %d: again %v at %d, want %v at %d", i, c.s, c.s.Len(), again, at, c.again, c.at)
		}
	}
}

func TestFlowsAfterFourGigabytes(t *testing.T) {
	t.Parallel()
	fs := flows{}
	s := segment.Segment{Flags: segment.SYN, Seq: 17}
	fs.find(&s).place(&s)
	s = segment.Segment{Flags: segment.ACK, Payload: make([]byte, 65000)}
	for sent := int64(0); sent < 1<<33; sent += 65000 {
		s.Seq = uint32(18 + sent)
		again, at := fs.find(&s).place(&s)
		if again || at != sent+1 {
			t.Fatalf("byte %d: again %v at %d", sent+1, again, at)
		}
	}
}
