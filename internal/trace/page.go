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
	stamp, commit, data field
}

func parsePageLayout(headerPage string) (pageLayout, error) {
	l, err := parseLayout(headerPage, map[string][]int{"timestamp": {8}, "commit": {4, 8}, "data": nil})
	p := pageLayout{l["timestamp"], l["commit"], l["data"]}
	if err == nil && p.data.offset < max(p.stamp.end(), p.commit.end()) {
		err = errors.New("header_page: no data after the header")
	}
	return p, err
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
	if len(page) < l.data.offset {
		return 0, fmt.Errorf("%w: %d bytes", errPage, len(page))
	}
	now, commit := l.stamp.uint(page), l.commit.uint(page)
	data, used := page[l.data.offset:], int(commit&commitLength)
	if used > len(data) {
		return 0, fmt.Errorf("%w: %d bytes of data, %d committed", errPage, len(data), used)
	}
	if commit&missedEvents != 0 {
		missed = unknownMissed
		if rest := data[used:]; commit&missedStored != 0 && len(rest) >= l.commit.size {
			missed = max(missed, field{0, l.commit.size}.uint(rest))
		}
	}
	for data = data[:used]; len(data) > 0; {
		record, length, err := nextEntry(data, &now)
		if err != nil {
			return missed, err
		}
		if record != nil {
			emit(now, record)
		}
		data = data[min(length, len(data)):]
	}
	return missed, nil
}

// nextEntry takes the first entry apart and moves the clock to it. The record is nil if the entry is not data.
func nextEntry(data []byte, now *uint64) (record []byte, length int, err error) {
	var words [8]byte
	left := copy(words[:], data)
	kind, delta := entryHead(binary.NativeEndian.Uint32(words[:]))
	second := binary.NativeEndian.Uint32(words[4:])
	start, end := 8, 8 // where the record begins, and the entry ends
	switch kind {
	default:
		start, end = 4, 4+4*int(kind)
	case typeLongData:
		end = 4 + int(second)
	case typePadding: // an event that was discarded after it was written; a delta of 1 stands for 0
		if delta == 0 && left >= 4 {
			return nil, len(data), nil // the rest of the page is empty
		}
		end = 4 + int(second)
		if delta == 1 {
			delta = 0
		}
	case typeExtend:
		delta |= uint64(second) << deltaBits
	case typeTimestamp: // its upper bits are those of the time before
		*now, delta = *now>>stampBits<<stampBits|uint64(second)<<deltaBits|delta, 0
	}
	if end < start || end > len(data) {
		return nil, 0, fmt.Errorf("%w: an entry of %d bytes, %d left", errPage, end, len(data))
	}
	*now += delta
	if kind < typePadding {
		record = data[start:end]
	}
	return record, (end + 3) &^ 3, nil
}
