package trace

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

var native = binary.NativeEndian

// entries of a page, as the kernel writes them.

func head(kind, delta uint32) []byte {
	if bigEndian {
		return native.AppendUint32(nil, kind<<deltaBits|delta)
	}
	return native.AppendUint32(nil, delta<<5|kind)
}

func short(delta uint32, data string) []byte {
	return append(head(uint32(len(data)/4), delta), data...)
}

func long(delta uint32, data string) []byte {
	return append(native.AppendUint32(head(typeLongData, delta), uint32(len(data)+4)), data...)
}

func two(kind, delta, second uint32) []byte { return native.AppendUint32(head(kind, delta), second) }

// page is one of the kernel's, 64-bit, with these entries.
func page(stamp, flags uint64, entries ...[]byte) []byte {
	data := slices.Concat(entries...)
	b := native.AppendUint64(nil, stamp)
	b = native.AppendUint64(b, uint64(len(data))|flags)
	b = append(b, data...)
	return append(b, make([]byte, 4096-len(b))...)
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func pageLayout64(t testing.TB) pageLayout {
	t.Helper()
	l, err := parsePageLayout(testdata(t, "header_page-6.18"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type stamped struct {
	at   uint64
	data string
}

func TestDecodePage(t *testing.T) {
	padding := two(typePadding, 7, 4+4) // discarded: eight bytes
	padding = append(padding, "????"...)
	for _, c := range []struct {
		name   string
		page   []byte
		want   []stamped
		missed uint64
		bad    bool
	}{
		{name: "empty", page: page(100, 0)},
		{name: "two events", page: page(100, 0, short(5, "abcd"), short(6, "efghijkl")),
			want: []stamped{{105, "abcd"}, {111, "efghijkl"}}},
		{name: "a long event", page: page(100, 0, long(5, strings.Repeat("abcd", 40)), short(1, "efgh")),
			want: []stamped{{105, strings.Repeat("abcd", 40)}, {106, "efgh"}}},
		{name: "a long pause", page: page(100, 0, short(0, "abcd"), two(typeExtend, 3, 2), short(0, "efgh")),
			want: []stamped{{100, "abcd"}, {100 + 2<<27 + 3, "efgh"}}},
		{name: "an absolute time", page: page(100, 0, two(typeTimestamp, 9, 1), short(1, "abcd")),
			want: []stamped{{1<<27 + 10, "abcd"}}},
		{name: "an absolute time, large", page: page(3<<59, 0, two(typeTimestamp, 9, 1), short(1, "abcd")),
			want: []stamped{{3<<59 + 1<<27 + 10, "abcd"}}},
		{name: "discarded", page: page(100, 0, padding, short(1, "abcd")), want: []stamped{{108, "abcd"}}},
		{name: "discarded at the same moment", page: page(100, 0, append(two(typePadding, 1, 4+4), "????"...), short(1, "abcd")),
			want: []stamped{{101, "abcd"}}},
		{name: "the rest is empty", page: page(100, 0, short(1, "abcd"), head(typePadding, 0), short(1, "efgh")),
			want: []stamped{{101, "abcd"}}},
		{name: "lost, not counted", page: page(100, missedEvents, short(1, "abcd")), missed: 1, want: []stamped{{101, "abcd"}}},
		{name: "lost", page: countLost(page(100, missedEvents|missedStored, short(1, "abcd")), 8, 42), missed: 42,
			want: []stamped{{101, "abcd"}}},

		{name: "no header", page: make([]byte, 15), bad: true},
		{name: "more than there is", page: page(100, 0, short(1, "abcd"))[:22], bad: true},
		{name: "a cut entry", page: page(100, 0, []byte("ab")), bad: true},
		{name: "a cut event", page: page(100, 0, head(3, 1), []byte("abcd")), bad: true},
		{name: "a cut second word", page: page(100, 0, head(typeExtend, 1)), bad: true},
		{name: "an event longer than the page", page: page(100, 0, two(typeLongData, 1, 5000)), bad: true},
		{name: "an event of no length", page: page(100, 0, two(typeLongData, 1, 0)), bad: true},
		{name: "padding longer than the page", page: page(100, 0, two(typePadding, 1, 1<<31)), bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []stamped
			missed, err := pageLayout64(t).decode(c.page, func(at uint64, b []byte) { got = append(got, stamped{at, string(b)}) })
			if !slices.Equal(got, c.want) || missed != c.missed || errors.Is(err, errPage) != c.bad {
				t.Errorf("got %v, %d lost, %v; want %v, %d lost, error %v", got, missed, err, c.want, c.missed, c.bad)
			}
		})
	}
}

// countLost writes how many were lost behind the data.
func countLost(page []byte, data int, n uint64) []byte {
	native.PutUint64(page[16+data:], n)
	return page
}

func TestPageLayout(t *testing.T) {
	want := pageLayout{stamp: field{0, 8}, commit: field{8, 8}, data: field{16, 4080}}
	if got := pageLayout64(t); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// A 32-bit kernel.
	got, err := parsePageLayout("\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\tsize:4;\tsigned:1;\n" +
		"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\tfield: char data;\toffset:12;\tsize:4084;\tsigned:1;\n")
	want = pageLayout{stamp: field{0, 8}, commit: field{8, 4}, data: field{12, 4084}}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "field: u64 timestamp;", "field: char data; offset:0; size:4080;",
		strings.ReplaceAll(testdata(t, "header_page-6.18"), "commit", "committed"),
		strings.ReplaceAll(testdata(t, "header_page-6.18"), "offset:16", "offset:10")} {
		if l, err := parsePageLayout(bad); err == nil {
			t.Errorf("%q: %+v", bad, l)
		}
	}
}

func FuzzDecodePage(f *testing.F) {
	l := pageLayout64(f)
	f.Add(page(100, 0, short(5, "abcd"), long(6, strings.Repeat("abcd", 40)), two(typeExtend, 3, 2), short(0, "efgh")))
	f.Add(page(3<<59, missedEvents|missedStored, two(typeTimestamp, 9, 1), short(1, "abcd"), head(typePadding, 0)))
	f.Add(append(page(100, 0, append(two(typePadding, 7, 8), "????"...))[:40], 0xff))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		_, err := l.decode(b, func(_ uint64, r []byte) { total += len(r) })
		if total > len(b) {
			t.Errorf("%d bytes of records in a page of %d", total, len(b))
		}
		if err != nil && !errors.Is(err, errPage) {
			t.Error(err)
		}
	})
}
