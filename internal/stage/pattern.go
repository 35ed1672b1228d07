package stage

// Pattern is n bytes that show where they belong: no stretch of it repeats soon. Each eight of them are their own
// offset, in seven digits, and a newline.
func Pattern(n int) []byte {
	b := make([]byte, 0, n+8)
	next := [8]byte{'0', '0', '0', '0', '0', '0', '0', '\n'}
	for ; len(b) < n; add8(next[:7]) {
		b = append(b, next[:]...)
	}
	return b[:n]
}

// add8 counts on by eight, in digits.
func add8(digits []byte) {
	last := len(digits) - 1
	digits[last] += 8
	for at := last; digits[at] > '9'; at-- {
		digits[at] -= 10
		if at == 0 {
			return
		}
		digits[at-1]++
	}
}
