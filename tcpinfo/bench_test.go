package tcpinfo

import (
	"net/netip"
	"testing"
)

func BenchmarkGet(b *testing.B) {
	p := newPair(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Get(p.client); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c, p := dial(b), newPair(b)
	local, remote, cookie := p.client.local(), p.listener.local(), p.client.cookie()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Lookup(local, remote, cookie); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookupNotFound(b *testing.B) {
	c := dial(b)
	nowhere := netip.MustParseAddrPort("127.0.0.1:1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Lookup(nowhere, nowhere, 7); err == nil {
			b.Fatal("found")
		}
	}
}

func BenchmarkDumpPort(b *testing.B) {
	c, p := dial(b), newPair(b)
	f := Filter{Family: 2, LocalPort: p.listener.local().Port()}
	b.ReportAllocs()
	for b.Loop() {
		if list, err := c.Dump(f); err != nil || len(list) != 2 {
			b.Fatal(len(list), err)
		}
	}
}

func BenchmarkDecodeSocket(b *testing.B) {
	body := recordedBodies(b)[0]
	for _, other := range recordedBodies(b) {
		if len(other) > len(body) {
			body = other
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeSocket(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeInfo(b *testing.B) {
	raw := pattern(knownLen)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeInfo(raw); err != nil {
			b.Fatal(err)
		}
	}
}
