package stage

import (
	"fmt"
)

// Pattern is n bytes that show where they belong: no stretch of it repeats soon.
func Pattern(n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = fmt.Appendf(b, "%07d\n", len(b))
	}
	return b[:n]
}
