package compare

import (
	"fmt"
	"regexp"
	"strings"
)

// names gives the ports of a run names: L1, L2, … those on which somebody listens, and "port" the others that the
// kernel may have chosen.
type names map[string]string

func (n names) listens(port string) {
	if n[port] == "" {
		n[port] = fmt.Sprintf("L%d", len(n)+1)
	}
}

var (
	ports    = regexp.MustCompile(`(htons\(|[\d\]]:|\bports? |ports \d+ to |is )(\d{4,5})\b`)
	pointers = regexp.MustCompile(`\b0x[0-9a-f]{6,}\b`)
	binary   = regexp.MustCompile(`"(?:[^"\\]|\\.)*\\[0-7x](?:[^"\\]|\\.)*"`) // a string that is not text, as strace writes it
)

// plain replaces what is different in each run and says nothing.
func (n names) plain(text string) string {
	text = ports.ReplaceAllStringFunc(text, func(found string) string {
		m := ports.FindStringSubmatch(found)
		if name := n[m[2]]; name != "" {
			return m[1] + name
		}
		if len(m[2]) == 5 {
			return m[1] + "port"
		}
		return found
	})
	text = pointers.ReplaceAllString(text, "POINTER")
	return binary.ReplaceAllString(text, "BYTES")
}

// A descriptor's name: s1, s2, … what socket() gave; a1, a2, … what accept4() gave; d1, d2, … what dup() gave.
func nameFor(call string, number int) string {
	switch {
	case strings.HasPrefix(call, "accept"):
		return fmt.Sprintf("a%d", number)
	case strings.HasPrefix(call, "dup"), call == "fcntl":
		return fmt.Sprintf("d%d", number)
	}
	return fmt.Sprintf("s%d", number)
}

// A call as both sources have it, after its descriptor has got its name.
type call struct {
	on, name string   // the socket, the system call
	args     []string // without the descriptor
	ret      string
	errno    string
	moved    int // bytes read or written
}

func (c call) String() string {
	ret := c.ret
	if c.errno != "" {
		ret = c.errno
	}
	if c.moves() && c.moved > 0 {
		ret = fmt.Sprint(c.moved)
	}
	on := ""
	if c.on != "" {
		on = c.on + "."
	}
	return fmt.Sprintf("%s%s(%s) = %s", on, c.name, strings.Join(c.args, ", "), ret)
}

func (c call) moves() bool {
	switch c.name {
	case "read", "write", "recvfrom", "sendto", "recvmsg", "sendmsg", "readv", "writev":
		return true
	}
	return false
}

// A script is the calls of a side or of a socket. How many pieces data came in is the kernel's affair: reads that
// follow one another on a socket are one, with the first one's arguments and the sum of bytes, and so are writes. So
// is a call that is made again because it was interrupted, or asks again and again.
type script struct {
	last  map[string]int // by socket: its latest call
	calls []call
}

// add takes a call and gives its place; fresh is false if it went into an earlier one.
func (s *script) add(c call) (place int, fresh bool) {
	if s.last == nil {
		s.last = map[string]int{}
	}
	if i, ok := s.last[c.on]; ok && s.calls[i].name == c.name {
		l := &s.calls[i]
		if c.moves() && c.moved > 0 && l.moved > 0 && flags(*l) == flags(c) {
			l.moved += c.moved
			return i, false
		}
		if (c.errno == "EAGAIN" || c.errno == "EINTR") && c.String() == l.String() {
			return i, false
		}
	}
	s.calls = append(s.calls, c)
	s.last[c.on] = len(s.calls) - 1
	return len(s.calls) - 1, true
}

// flags are the arguments behind buffer and length.
func flags(c call) string { return strings.Join(c.args[min(2, len(c.args)):], ", ") }
