package compare

import (
	"fmt"
	"regexp"
	"strings"
)

// straced are the calls that are looked at; those that make processes only to know whose descriptors are whose.
const straced = "network,read,write,readv,writev,close,dup,dup2,dup3,fcntl,ioctl,clone,clone3,fork,vfork,execve"

// questions are what the program asks on its own account (docs/design.md): they are no calls of a lesson.
var questions = regexp.MustCompile(`^getsockopt\(.*(TCP_INFO|SO_COOKIE|SO_PROTOCOL|SO_LINGER|SO_TYPE)|^getsockname\(|^getpeername\(|^ioctl\(.*FIONREAD|^recvfrom\(.*MSG_PEEK\|MSG_DONTWAIT`)

// A socket of the lesson: a TCP socket, and what was accepted from one.
type socket struct {
	role  string // connecting, accepted, listening
	calls script
}

// A slot is an entry of a process's table of descriptors.
type slot struct {
	socket  *socket
	cloexec bool
}

type table map[string]slot

var (
	row      = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed  = regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*)$`)
	about    = regexp.MustCompile(`^(\w+)\((\d+)`)
	complete = regexp.MustCompile(`^(\w+)\((.*)\) += (\?|-?\d+|0x[0-9a-f]+)(?: (E\w+))?.*$`)
)

// A tracing reads what strace -f wrote.
type tracing struct {
	tables  map[string]table // by thread
	pending map[string]begun // by thread: the call that it is in
	sockets []*socket
}

// A call that has begun: what has been written of it, and its socket, whose descriptor may be another's when it ends.
type begun struct {
	text string
	on   *slot
}

// traced makes lines of what strace wrote of a process and its children: what was called on each socket of the lesson.
func traced(who, out string) (all run) {
	t := tracing{tables: map[string]table{}, pending: map[string]begun{}}
	for text := range strings.Lines(out) {
		if m := row.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
			t.read(m[1], m[2])
		}
	}
	number := map[string]int{}
	for _, s := range t.sockets {
		number[s.role]++
		lane := fmt.Sprintf("%s, %s socket %d", who, s.role, number[s.role])
		for _, c := range s.calls.calls {
			all = append(all, line{lane: lane, text: names{}.plain(c.String()), ordered: true})
		}
	}
	return all
}

// read takes one row of a thread's: a call, its beginning, or its end.
func (t *tracing) read(thread, text string) {
	if m := resumed.FindStringSubmatch(text); m != nil {
		b, ok := t.pending[thread]
		if !ok {
			return
		}
		delete(t.pending, thread)
		t.done(thread, b.text+m[2], b.on)
		return
	}
	if head, cut := strings.CutSuffix(text, " <unfinished ...>"); cut {
		t.pending[thread] = begun{head, t.of(thread).enter(head)}
		return
	}
	t.done(thread, text, t.of(thread).enter(text))
}

// enter finds the socket that a call is about. A descriptor is free from the moment that close() is entered.
func (own table) enter(text string) *slot {
	m := about.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	s, ok := own[m[2]]
	if !ok {
		return nil
	}
	if m[1] == "close" {
		delete(own, m[2])
	}
	return &s
}

// of gives a thread's descriptors. A thread that is new was made by one that is in clone now.
func (t *tracing) of(thread string) table {
	if own, ok := t.tables[thread]; ok {
		return own
	}
	for parent, b := range t.pending {
		if strings.Contains(b.text, "clone") || strings.Contains(b.text, "fork(") {
			t.tables[thread] = inherit(t.tables[parent], b.text)
			return t.tables[thread]
		}
	}
	t.tables[thread] = table{}
	return t.tables[thread]
}

func inherit(parent table, clone string) table {
	if strings.Contains(clone, "CLONE_FILES") {
		return parent
	}
	own := table{}
	for fd, s := range parent {
		own[fd] = s
	}
	return own
}

// done takes a call that is complete.
func (t *tracing) done(thread, text string, on *slot) {
	own := t.of(thread)
	m := complete.FindStringSubmatch(text)
	if m == nil || m[3] == "?" { // it was interrupted, and is made again
		return
	}
	c := call{name: m[1], args: splitArgs(m[2]), ret: m[3], errno: m[4]}
	if c.errno == "EINTR" {
		return
	}
	switch c.name {
	case "clone", "clone3", "fork", "vfork":
		if _, known := t.tables[c.ret]; !known && c.errno == "" {
			t.tables[c.ret] = inherit(own, text)
		}
		return
	case "execve":
		for fd, s := range own {
			if s.cloexec {
				delete(own, fd)
			}
		}
		return
	case "socket":
		if strings.HasPrefix(m[2], "AF_INET") && strings.Contains(m[2], "SOCK_STREAM") {
			t.open(own, c, &socket{role: "connecting"})
		}
		return
	}
	if on == nil || questions.MatchString(text) {
		return
	}
	c.args = c.args[1:]
	switch c.name {
	case "listen":
		on.socket.role = "listening"
	case "dup", "dup2", "dup3":
		t.duplicate(own, *on, &c)
	case "fcntl":
		if strings.HasPrefix(c.args[0], "F_DUPFD") {
			t.duplicate(own, *on, &c)
		}
	}
	if strings.HasPrefix(c.name, "accept") && c.errno == "" {
		defer t.open(own, call{ret: c.ret, args: c.args}, &socket{role: "accepted"})
		c.ret = "accepted"
	}
	var n int
	if fmt.Sscan(c.ret, &n); c.moves() && n > 0 {
		c.moved = n
	}
	on.socket.calls.add(c)
}

func (t *tracing) open(own table, c call, s *socket) {
	if c.errno == "" {
		own[c.ret] = slot{s, strings.Contains(strings.Join(c.args, " "), "SOCK_CLOEXEC")}
		c.ret = "socket"
	}
	if c.name != "" {
		s.calls.add(c)
	}
	t.sockets = append(t.sockets, s)
}

func (t *tracing) duplicate(own table, s slot, c *call) {
	if c.errno != "" {
		return
	}
	all := strings.Join(c.args, " ")
	own[c.ret] = slot{s.socket, strings.Contains(all, "CLOEXEC")}
	c.ret = "duplicate"
	if c.name == "dup2" || c.name == "dup3" {
		c.args = c.args[1:] // a descriptor
	}
}

// splitArgs cuts at the commas between arguments, not at those inside of brackets or strings.
func splitArgs(text string) []string {
	var all []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("{[(", c) >= 0:
			depth++
		case strings.IndexByte("}])", c) >= 0:
			depth--
		case c == ',' && depth == 0:
			all = append(all, text[from:i])
			from = i + 1
			if strings.HasPrefix(text[from:], " ") {
				from++
			}
		}
	}
	return append(all, text[from:])
}
