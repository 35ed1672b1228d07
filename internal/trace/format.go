package trace

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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

// layout is where the fields of a record lie, by their names. The offsets are not part of the kernel's interface and
// have moved: protocol was one byte before Linux 5.6, and is two since.
type layout map[string]field

// declaration is a line of events/*/*/format, or of events/header_page, like
//
//	field:const void * skaddr;	offset:8;	size:8;	signed:0;
var declaration = regexp.MustCompile(`field:[^;\n]*?(\w+)(?:\[\d+\])?;\s*offset:(\d+);\s*size:(\d+);`)

// parseLayout finds the fields that are wanted. Each has one of the sizes given with its name, or any if there is none.
func parseLayout(text string, wanted map[string][]int) (layout, error) {
	l := layout{}
	for _, m := range declaration.FindAllStringSubmatch(text, -1) {
		offset, err1 := strconv.ParseUint(m[2], 10, 16)
		size, err2 := strconv.ParseUint(m[3], 10, 16)
		if _, ok := wanted[m[1]]; ok && err1 == nil && err2 == nil {
			l[m[1]] = field{int(offset), int(size)}
		}
	}
	for name, sizes := range wanted {
		if f, ok := l[name]; !ok || len(sizes) > 0 && !slices.Contains(sizes, f.size) {
			return nil, fmt.Errorf("format of the trace: no field %s of a size in %v", name, sizes)
		}
	}
	return l, nil
}

// length is how long a record must be to hold the fields.
func (l layout) length() (n int) {
	for _, f := range l {
		n = max(n, f.end())
	}
	return n
}
