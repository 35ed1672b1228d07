package trace

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// field is where a value lies in a record.
type field struct{ offset, size int }

func (f field) end() int { return f.offset + f.size }

// uint reads an unsigned number in the machine's byte order. The record is long enough: whoever takes it checks that.
func (f field) uint(b []byte) uint64 {
	b = b[f.offset:f.end()]
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}

// format describes a record, as tracefs does in events/*/*/format and in events/header_page. The offsets are not part
// of the kernel's interface and have moved: protocol was one byte before Linux 5.6, and is two since.
type format struct {
	id     uint64 // what common_type holds in records of this kind
	fields map[string]field
}

// parseFormat reads lines like
//
//	ID: 2287
//	field:const void * skaddr;	offset:8;	size:8;	signed:0;
//
// and leaves everything else alone.
func parseFormat(text string) (format, error) {
	f := format{fields: map[string]field{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if id, ok := strings.CutPrefix(line, "ID:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 16)
			if err != nil {
				return format{}, fmt.Errorf("format of a tracepoint: %q", line)
			}
			f.id = n
		}
		if decl, ok := strings.CutPrefix(line, "field:"); ok {
			if err := f.declare(decl); err != nil {
				return format{}, err
			}
		}
	}
	return f, nil
}

func (f format) declare(decl string) error {
	parts := strings.Split(decl, ";")
	words := strings.Fields(parts[0])
	if len(words) == 0 {
		return fmt.Errorf("format of a tracepoint: a field without a name in %q", decl)
	}
	name, _, _ := strings.Cut(words[len(words)-1], "[")
	v := field{-1, -1}
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(p), ":")
		n, err := strconv.ParseUint(value, 10, 16)
		switch {
		case key != "offset" && key != "size":
		case err != nil:
			return fmt.Errorf("format of a tracepoint: %q", decl)
		case key == "offset":
			v.offset = int(n)
		case key == "size":
			v.size = int(n)
		}
	}
	if v.offset < 0 || v.size < 0 {
		return fmt.Errorf("format of a tracepoint: no offset or size in %q", decl)
	}
	f.fields[strings.TrimLeft(name, "*")] = v
	return nil
}

// number finds a field that holds a number.
func (f format) number(name string) (field, error) {
	v, ok := f.fields[name]
	if !ok {
		return v, fmt.Errorf("format of a tracepoint: no field %s", name)
	}
	switch v.size {
	case 1, 2, 4, 8:
		return v, nil
	}
	return v, fmt.Errorf("format of a tracepoint: %s has %d bytes", name, v.size)
}

// bytes finds a field that holds that many bytes.
func (f format) bytes(name string, size int) (field, error) {
	v, ok := f.fields[name]
	if !ok || v.size != size {
		return v, fmt.Errorf("format of a tracepoint: no field %s of %d bytes", name, size)
	}
	return v, nil
}
