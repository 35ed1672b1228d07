package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// pageLayout is that of a page of the ring buffer, which is what a read of trace_pipe_raw returns: a time, how many
// bytes of data are committed, the data (events/header_page). Kernel: struct buffer_data_page in
// kernel/trace/ring_buffer.c.
type pageLayout struct {
	stamp, commit field
	data          int // where the data begins
	size          int // of the whole page
}

func parsePageLayout(headerPage string) (pageLayout, error) {
	f, err := parseFormat(headerPage)
	if err != nil {
		return pageLayout{}, err
	}
	stamp, err1 := f.number("timestamp")
	commit, err2 := f.number("commit")
	data, ok := f.fields["data"]
	if !ok || data.size < 8 || data.offset < max(stamp.end(), commit.end()) {
		return pageLayout{}, errors.New("header_page: no data after the header")
	}
	return pageLayout{stamp, commit, data.offset, data.end()}, errors.Join(err1, err2)
}

// The commit field carries flags above the length. Kernel: RB_MISSED_EVENTS, RB_MISSED_STORED.
const (
	commitLength  = 1<<27 - 1
	missedStored  = 1 << 30 // how many were lost stands behind the data
	missedEvents  = 1 << 31 // events were lost before this page
	unknownMissed = 1       // at least
)

// Types of an entry, in the low five bits of its first word (the high ones on a big-endian machine); the other 27 are
// the nanoseconds since the entry before. Up to 28 it is data, and the number is the length in words; 0 means that the
// length in bytes is in the next word. Kernel: enum ring_buffer_type.
const (
	typeLongData  = 0
	typePadding   = 29
	typeExtend    = 30
	typeTimestamp = 31
	deltaBits     = 27
	stampBits     = deltaBits + 32 // of an absolute time
)

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

func entryHead(word uint32) (kind uint32, delta uint64) {
	if bigEndian {
		return word >> deltaBits, uint64(word & (1<<deltaBits - 1))
	}
	return word & 31, uint64(word >> 5)
}

var errPage = errors.New("ring buffer: a page that makes no sense")

// decode hands each record of a page to emit, with its time in nanoseconds of the trace's clock, in the order they were
// written. missed is how many events the kernel had lost before this page.
func (l pageLayout) decode(page []byte, emit func(stamp uint64, record []byte)) (missed uint64, err error) {
	if len(page) < l.data {
		return 0, fmt.Errorf("%w: %d bytes", errPage, len(page))
	}
	now, commit := l.stamp.uint(page), l.commit.uint(page)
	data, used := page[l.data:], int(commit&commitLength)
	if used > len(data) {
		return 0, fmt.Errorf("%w: %d bytes of data, %d committed", errPage, len(data), used)
	}
	if commit&missedEvents != 0 {
		missed = unknownMissed
		if rest := data[used:]; commit&missedStored != 0 && len(rest) >= l.commit.size {
			missed = max(missed, field{0, l.commit.size}.uint(rest))
		}
	}
	data = data[:used]
	for len(data) > 0 {
		e, err := nextEntry(data, &now)
		if err != nil {
			return missed, err
		}
		if e.record != nil {
			emit(now, e.record)
		}
		data = data[e.length:]
	}
	return missed, nil
}

type entry struct {
	record []byte // nil if it is not data
	length int    // of the whole entry
}

// nextEntry takes the first entry apart and moves the clock to it.
func nextEntry(data []byte, now *uint64) (entry, error) {
	if len(data) < 4 {
		return entry{}, fmt.Errorf("%w: %d bytes left", errPage, len(data))
	}
	kind, delta := entryHead(binary.NativeEndian.Uint32(data))
	if kind >= 1 && kind < typePadding {
		*now += delta
		return whole(data, 4, 4+4*int(kind))
	}
	if kind == typePadding && delta == 0 {
		return entry{length: len(data)}, nil // the rest of the page is empty
	}
	if len(data) < 8 {
		return entry{}, fmt.Errorf("%w: %d bytes left", errPage, len(data))
	}
	second := binary.NativeEndian.Uint32(data[4:])
	switch kind {
	case typeLongData:
		*now += delta
		return whole(data, 8, 4+int(second))
	case typePadding: // an event that was discarded after it was written; a delta of 1 stands for 0
		if delta != 1 {
			*now += delta
		}
		e, err := whole(data, 8, 4+int(second))
		e.record = nil
		return e, err
	case typeExtend:
		*now += uint64(second)<<deltaBits + delta
	case typeTimestamp: // its upper bits are those of the time before
		*now = *now>>stampBits<<stampBits | uint64(second)<<deltaBits | delta
	}
	return entry{length: 8}, nil
}

// whole is the entry of that length, whose record begins at start.
func whole(data []byte, start, length int) (entry, error) {
	if length < start || length > len(data) {
		return entry{}, fmt.Errorf("%w: an entry of %d bytes, %d left", errPage, length, len(data))
	}
	return entry{data[start:length], (length + 3) &^ 3}.within(len(data)), nil
}

// within keeps the padding after the last entry inside the page.
func (e entry) within(n int) entry {
	e.length = min(e.length, n)
	return e
}
