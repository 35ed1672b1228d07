package stage

// Pattern is n bytes that show where they belong: no stretch of it repeats soon. Each eight of them are their own
// offset, in seven digits, and a newline.
func Pattern(n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		digits := [8]byte{7: '\n'}
		for at, rest := 6, len(b); at >= 0; at, rest = at-1, rest/10 {
			digits[at] = '0' + byte(rest%10)
		}
		b = append(b, digits[:]...)
	}
	return b[:n]
}
