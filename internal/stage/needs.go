package stage

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"socklife/internal/timeline"
	"socklife/internal/unsupported"
)

// What a lesson expects is what Linux does as it comes. A host may be set up in another way, and then something else is
// right. So a lesson says what it needs, and is not played where that is missing.

// Needs are what a lesson needs of the settings of one side's host; 0: nothing.
type Needs struct {
	TimeWaits     int // so many connections in TIME-WAIT, or in FIN-WAIT-2 after close()
	HalfOpen      int // 1: half-open connections are kept, and no cookies sent in their place
	Backlog       int // so many connections wait for accept(2), and one more
	SynRetries    int // a SYN is sent again so often
	SynAckRetries int // a SYN-ACK is
	Retries       int // data is, and a peer without a window asked
	OrphanRetries int // so often after close()
	Unsent        int // write() takes so many bytes that cannot be sent yet
	RTO           int // µs before a segment is sent again
	RTOMax        int // ms: the retransmission timeout doubles as far as that
	ports         int // for connect() to choose from: every client needs some
}

// ports are enough that connect() does not soon choose one again whose last connection is in TIME-WAIT on the other
// side.
const ports = 16

// and are what two lists of needs come to where one host has to meet both.
func (n Needs) and(o Needs) Needs {
	return Needs{
		TimeWaits: n.TimeWaits + o.TimeWaits, HalfOpen: max(n.HalfOpen, o.HalfOpen), Backlog: max(n.Backlog, o.Backlog),
		SynRetries: max(n.SynRetries, o.SynRetries), SynAckRetries: max(n.SynAckRetries, o.SynAckRetries),
		Retries: max(n.Retries, o.Retries), OrphanRetries: max(n.OrphanRetries, o.OrphanRetries),
		Unsent: max(n.Unsent, o.Unsent), RTO: max(n.RTO, o.RTO),
		RTOMax: max(n.RTOMax, o.RTOMax), ports: max(n.ports, o.ports),
	}
}

// setting is a sysctl that lessons depend on.
type setting struct {
	name   string
	needed func(Needs) int
	gives  func(value int) int // how much of what is needed this value gives; nil: itself, a range its length
	wants  string              // of the value, in words, for N
	enough string              // a value that is enough for every lesson
	does   string
}

// settings are those of which it is known that a lesson may not hold with them.
var settings = []setting{
	{timeWaits, func(n Needs) int { return n.TimeWaits }, nil, "N or more", "4096",
		"beyond so many in TIME-WAIT, or in FIN-WAIT-2 after close(), a connection ends without"},
	{"net.ipv4.tcp_syncookies", func(n Needs) int { return n.HalfOpen }, func(value int) int { return 2 - value }, "0 or 1", "1",
		"2: SYN cookies for all, and no SYN-RECEIVED"},
	{"net.core.somaxconn", func(n Needs) int { return n.Backlog }, nil, "N or more", "4096",
		"the most that a backlog can be"},
	{"net.ipv4.tcp_syn_retries", func(n Needs) int { return n.SynRetries }, nil, "N or more", "6",
		"how often a SYN is sent again before connect() gives up"},
	{"net.ipv4.tcp_synack_retries", func(n Needs) int { return n.SynAckRetries }, nil, "N or more", "5",
		"how often a SYN-ACK is sent again"},
	{"net.ipv4.tcp_orphan_retries", func(n Needs) int { return n.OrphanRetries }, orphanRetries, "N or more, or 0, which is 8", "0",
		"how often data or the FIN is sent, or a peer asked for room, once more after close()"},
	{"net.ipv4.tcp_retries2", func(n Needs) int { return n.Retries }, nil, "N or more", "15",
		"how often data is sent, or a peer asked for room, once more"},
	{"net.ipv4.tcp_notsent_lowat", func(n Needs) int { return n.Unsent }, nil, "N or more", "4294967295",
		"write() waits while so many bytes are unsent"},
	{"net.ipv4.tcp_rto_min_us", func(n Needs) int { return n.RTO }, nil, "N or more", "200000",
		"how soon a segment is sent again"},
	{"net.ipv4.tcp_rto_max_ms", func(n Needs) int { return n.RTOMax }, nil, "N or more", "120000",
		"the longest that a retransmission waits"},
	{"net.ipv4.ip_local_port_range", func(n Needs) int { return n.ports }, nil, "N ports or more", `"32768 60999"`,
		"from which connect() chooses a port"},
}

const timeWaits = "net.ipv4.tcp_max_tw_buckets"

// orphanRetries is what tcp_orphan_retries() of net/ipv4/tcp_timer.c makes of the setting, as long as the peer answers.
func orphanRetries(value int) int {
	if value == 0 {
		return 8
	}
	return value
}

// read is the setting of the namespace that the thread is in, as text and as how much it gives; where the kernel has
// none of that name it is not in the way.
func (s *setting) read() (value string, gives int) {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(s.name, ".", "/"))
	value = strings.Join(strings.Fields(string(text)), " ")
	n, notNumber := strconv.Atoi(value)
	var last int
	if _, err := fmt.Sscan(value, &n, &last); err == nil {
		n, notNumber = last-n+1, nil
	}
	switch {
	case err != nil || notNumber != nil:
		return value, math.MaxInt
	case s.gives == nil:
		return value, n
	}
	return value, s.gives(n)
}

// unmet is the first of a lesson's needs that the host does not meet whose namespace the thread is in; nil if it meets
// them all. So many connections were there before, in TIME-WAIT.
func (n Needs) unmet(lesson, where string, before int, how func(setting string) string) error {
	for _, s := range settings {
		need := s.needed(n)
		if need == 0 {
			continue
		}
		value, gives := s.read()
		beside := ""
		if s.name == timeWaits && before > 0 {
			gives, beside = gives-before, fmt.Sprintf(" beside the %d that are there", before)
		}
		if gives < need {
			what := fmt.Sprintf("%s is %s %s (%s), and %s needs %s%s",
				s.name, value, where, s.does, lesson, strings.ReplaceAll(s.wants, "N", strconv.Itoa(need)), beside)
			return unsupported.New(what, how(s.name+"="+s.enough), nil)
		}
	}
	return nil
}

// timeWaitsInUse is how many connections of the thread's namespace are in TIME-WAIT, or in FIN-WAIT-2 after close().
func timeWaitsInUse() (n int) {
	text, err := os.ReadFile("/proc/thread-self/net/sockstat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == "TCP:" {
			if i := slices.Index(f, "tw"); i > 0 && i+1 < len(f) {
				n, _ = strconv.Atoi(f[i+1])
			}
		}
	}
	return n
}

// needs are those that the host of a side has to meet; where it is the other side's too, that side's with them.
func (r *run) needs(side timeline.Side) Needs {
	own, others := r.sc.ServerNeeds, r.sc.ClientNeeds
	others.ports = ports
	if side == timeline.Client {
		own, others = others, own
	}
	if r.cfg.Wire == nil && (r.both || r.cfg.Addr.Addr().IsLoopback()) {
		return own.and(others)
	}
	return own
}

// unfit says why this host, as it is set up, is no place for the lesson; nil if it is one. Where the wire's hosts are
// not as usual, the user has set them so, to see what comes of it: see changed.
func (r *run) unfit(side timeline.Side) error {
	if err := enoughDescriptors(); err != nil || r.cfg.Wire != nil {
		return err
	}
	if r.cfg.Addr.Addr().IsLoopback() {
		if err := loopbackUp(); err != nil {
			return err
		}
	}
	return r.needs(side).unmet(r.sc.Name, "here", timeWaitsInUse(), func(setting string) string {
		return "sysctl -w " + setting + ", or with --wire, whose hosts have settings of their own"
	})
}

// Changed is why a run was not what was expected: the user has set the wire's hosts up so that the lesson is another.
type Changed struct{ error }

func (c Changed) Unwrap() error { return c.error }

// changed is a Changed that names the setting; nil if none was in the way.
func (w *Wire) changed() (err error) {
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		w.labHost(side).Do(func() error {
			unmet := w.run.needs(side).unmet(w.run.sc.Name, "on the "+string(side)+"'s host", 0,
				func(string) string { return "what it changes is above, and without this --sysctl the lesson holds" })
			if err == nil && unmet != nil {
				err = Changed{unmet}
			}
			return nil
		})
	}
	return err
}
