package stage

import (
	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// peek is what has come on a socket and was not read, up to the length of a line. It is not a call of the lesson and
// takes nothing from one: it only looks where there is data, since recvfrom() of an empty socket, with MSG_PEEK too,
// takes the pending error, and the lesson's read() would then give 0 in place of ECONNRESET.
func peek(s *sockapi.Socket) []byte {
	silent := s.Untraced()
	if n, err := silent.InQ(); err != nil || n == 0 {
		return nil
	}
	b := make([]byte, lineLimit)
	n, err := silent.Recv(b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if err != nil {
		return nil
	}
	return b[:n]
}
