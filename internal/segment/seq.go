package segment

// Sequence numbers live on a circle of 2^32 (RFC 9293 section 3.4): which of two comes first is a matter of
// which way round is shorter. Numbers exactly half the circle apart have no order: each is Before the other.

// Before reports whether sequence number a comes before b, modulo 2^32.
func Before(a, b uint32) bool { return int32(a-b) < 0 }

// After reports whether sequence number a comes after b, modulo 2^32.
func After(a, b uint32) bool { return Before(b, a) }

// distance is how far apart two sequence numbers are, the shorter way round.
func distance(a, b uint32) uint32 { return min(a-b, b-a) }
