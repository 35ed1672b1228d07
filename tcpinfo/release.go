package tcpinfo

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// release is a Linux version's first two numbers.
type release struct{ major, minor int }

func (r release) before(o release) bool {
	return r.major < o.major || r.major == o.major && r.minor < o.minor
}

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

// running is the kernel this process runs on. A name that cannot be read counts as 6.18, whose layouts are known.
var running = sync.OnceValue(func() release {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		if r, ok := parseRelease(unix.ByteSliceToString(u.Release[:])); ok {
			return r
		}
	}
	return release{6, 18}
})

func parseRelease(s string) (release, bool) {
	var r release
	n, err := fmt.Sscanf(s, "%d.%d", &r.major, &r.minor)
	return r, err == nil && n == 2
}
