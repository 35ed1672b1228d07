package scenario

import (
	"fmt"

	"socklife/tcpinfo"
)

// pattern is n bytes that show where they belong: no stretch of it repeats soon.
func pattern(n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = fmt.Appendf(b, "%07d\n", len(b))
	}
	return b[:n]
}

// checkShutdown checks which directions the kernel says are shut. (Only sock_diag says it.)
func (s *Side) checkShutdown(c *Conn, expect string, want tcpinfo.Shutdown) {
	d := c.diag()
	s.Check("the kernel's shutdown bits: "+expect, d.Shutdown != nil && *d.Shutdown == want, "%s", shutdownText(d))
}

func shutdownText(d tcpinfo.Socket) string {
	if d.Shutdown == nil {
		return "not reported"
	}
	return fmt.Sprint(d.Shutdown.Names())
}
