package docs

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The facts that several pages state: docs/facts.md has them as a table, and every mention of one, on any page, is held
// to the value here (mentions_test.go).

// timed is a fact about a time. Every time in a sentence that is about it must be one of these.
type timed struct {
	what     string
	value    string // as the table has it
	is       []time.Duration
	about    *regexp.Regexp // the sentences that it is about
	unless   *regexp.Regexp // what is cut out of them first: other times, named as such
	measured string         // what measures it
}

// counted is a fact about a number. What the parentheses match must be it.
type counted struct {
	what, value, is string
	says            *regexp.Regexp
	measured        string
}

// sysctl is one whose default several pages state.
type sysctl struct{ name, value, unit, what string }

var timedFacts = []timed{
	{"how long TIME-WAIT lasts", "60 s (TCP_TIMEWAIT_LEN, a constant)", durations("60s"),
		regexp.MustCompile(`TIME-WAIT|\b2 ?MSL|TCP_TIMEWAIT_LEN`),
		regexp.MustCompile(`4 seconds( or less)?|59 of its|SO_LINGER[^.]*? 0 s|tcp_tw_reuse_delay.*|\b1\.?\d* to 1\.\d+ s|MSL( of| to be)? (2|two) minutes|segment lifetime of two minutes|60\.0 to 60\.3 s|40 ms.*|TCP_LINGER2.*|200 ms|a TIME-WAIT of a millisecond`),
		"`echoc --full time-wait` waits for its end: 60.0 to 60.3 s"},
	{"how long an orphan stays in FIN-WAIT-2", "60 s (net.ipv4.tcp_fin_timeout, or TCP_LINGER2)", durations("60s"),
		regexp.MustCompile(`FIN-WAIT-2.*(after .?close|orphan|nobody holds)|tcp_fin_timeout|([Aa]fter .?close|[Oo]rphan).*FIN-WAIT-2`),
		regexp.MustCompile(`4 seconds( or less)?|here 1 s|1\.06 to 1\.08 s|ends in 1\.0 s|40 ms`),
		"the timer that `echoc close` and `echoc server-close` show, and the sysctl; [fin-wait-2-orphan](scenarios/fin-wait-2-orphan.md) waits for the end of a shorter one"},
	{"how long the ACK of a FIN, or of lone data, is delayed", "40 ms, up to 200 ms to a peer that sends seldom", durations("40ms", "200ms"),
		regexp.MustCompile(`(?i)delay\w*[^.]*\b(ACK|acknowledge)|\b(ACK|acknowledge)[^.]*delay|wait for it longer`),
		regexp.MustCompile(`TIME-WAIT.*|\b1\.06 to 1\.08 s|--delay \S+|"delay [^"]*"`),
		"`echoc --wire close`: from the client's FIN to the server's ACK"},
	{"the first retransmission timeout, of SYN and SYN-ACK", "1 s", durations("1s"),
		regexp.MustCompile(`[Ff]irst retransmission timeout|TCP_TIMEOUT_INIT|SYN(-ACK)? comes? again after`), nil,
		"`echoc --wire syn-loss`, `echoc --wire syn-ack-loss`"},
	{"the shortest retransmission timeout, once a round trip is measured", "200 ms (TCP_RTO_MIN, net.ipv4.tcp_rto_min_us)", durations("200ms"),
		regexp.MustCompile(`TCP_RTO_MIN|measured.*at least|FIN (comes|would be sent) again|sends its FIN\s+again`),
		regexp.MustCompile(`60 s|not after a second|1 s at first|up to 120 s|40 ms`),
		"`echoc --wire lost-last-ack`"},
	{"the longest retransmission timeout", "120 s (net.ipv4.tcp_rto_max_ms)", durations("120s"),
		regexp.MustCompile(`tcp_rto_max_ms|twice as long each time|2\^\(n`),
		regexp.MustCompile(`1 s at first|200 ms( at first)?|\b2\^\(n−1\) s`),
		"the sysctl"},
	{"how long a half-open connection lasts", "63 s with net.ipv4.tcp_synack_retries at 5: 1 + 2 + 4 + 8 + 16 + 32", durations("63s"),
		regexp.MustCompile(`SYN-ACK, \d+ s|tcp_synack_retries.*(dropped|default)|lifetime of the entry`),
		regexp.MustCompile(`\b1 \+ 2 = 3 s|\b1 s, (2 s, 4 s|then twice)|about 15 minutes`),
		"`echoc --wire half-open-expiry`, with fewer retransmissions"},
	{"when connect() gives up", "about 131 s (before Linux 6.5: 127 s)", durations("131s", "127s", "2m"),
		regexp.MustCompile(`No SYN was answered|SYN, about|tcp_syn_retries.*(ends after|default)|default of tcp_syn_retries`), nil,
		"`echoc connect-timeout`, with fewer retransmissions"},
	{"when data that is not acknowledged is given up", "about 15 minutes (net.ipv4.tcp_retries2)", durations("15m"),
		regexp.MustCompile(`tcp_retries2|(was|is) not acknowledged, for|dead peer in seconds|long gone.*hangs|hangs for.*failover|not acknowledged ends it`),
		regexp.MustCompile(`SYN-ACK, 63 s|about 131 s|TCP_KEEP\w+|40 ms`),
		"not measured: the sysctl, and the sum that tcp(7) and ip-sysctl.rst give for it"},
}

var countedFacts = []counted{
	{"how many connections the accept queue takes", "backlog + 1", "1", regexp.MustCompile(`(?:backlog|somaxconn)[` + "`" + `]? ?\+ ?(\d+)`), "`echoc backlog`"},
	{"how many ports connect() has to choose from", "28,232 (32768 to 60999)", "28,232", regexp.MustCompile(`(\d\d,\d\d\d) ports`), "the sysctl; [port-exhaustion](scenarios/port-exhaustion.md) uses up three"},
	{"bytes of data in a full segment, of an MSS of 1460 with timestamps", "1448", "1448", regexp.MustCompile(`(?:has at most|and) (\d{4}) (?:bytes in|the other)`), "`echoc --wire half-close`"},
	{"the MSS of an Ethernet's 1500 bytes", "1460", "1460", regexp.MustCompile(`MSS of (\d+)`), "`echoc --wire handshake`"},
	{"the number of a port from which on any user may bind", "1024", "1024", regexp.MustCompile(`ip_unprivileged_port_start \((\d+)\)`), "the sysctl"},
}

var sysctlFacts = []sysctl{
	{"net.core.somaxconn", "4096", "connections", "the most that a backlog can be (128 before Linux 5.4)"},
	{"net.ipv4.ip_local_port_range", "32768 60999", "ports", "what connect() chooses from"},
	{"net.ipv4.tcp_abort_on_overflow", "0", "", "1: RST to a client whose third segment finds the accept queue full"},
	{"net.ipv4.tcp_early_retrans", "3", "", "tail loss probes"},
	{"net.ipv4.tcp_ecn", "2", "", "explicit congestion notification: 2 answers when asked"},
	{"net.ipv4.tcp_fin_timeout", "60", "s", "how long an orphan stays in FIN-WAIT-2"},
	{"net.ipv4.tcp_keepalive_intvl", "75", "s", "time between keepalive probes"},
	{"net.ipv4.tcp_keepalive_probes", "9", "probes", "how many may stay unanswered"},
	{"net.ipv4.tcp_keepalive_time", "7200", "s", "silence before the first keepalive probe"},
	{"net.ipv4.tcp_orphan_retries", "0", "retransmissions", "of a socket without a descriptor; 0 stands for 8"},
	{"net.ipv4.tcp_retries2", "15", "retransmissions", "of data, before the connection is given up"},
	{"net.ipv4.tcp_rfc1337", "0", "", "1: a RST does not end TIME-WAIT"},
	{"net.ipv4.tcp_rto_max_ms", "120000", "ms", "the longest retransmission timeout (Linux 6.15)"},
	{"net.ipv4.tcp_rto_min_us", "200000", "µs", "the shortest retransmission timeout (Linux 6.11)"},
	{"net.ipv4.tcp_syn_linear_timeouts", "4", "retransmissions", "of a SYN, a second apart, before the waits double (Linux 6.5)"},
	{"net.ipv4.tcp_syn_retries", "6", "retransmissions", "of a SYN, beside the linear ones"},
	{"net.ipv4.tcp_synack_retries", "5", "retransmissions", "of a SYN-ACK"},
	{"net.ipv4.tcp_syncookies", "1", "", "answer without an entry when the SYN queue is full"},
	{"net.ipv4.tcp_tw_reuse", "2", "", "connect() over a TIME-WAIT: 0 never, 1 always, 2 on loopback"},
	{"net.ipv4.tcp_tw_reuse_delay", "1000", "ms", "how old that TIME-WAIT must be (Linux 6.14)"},
}

func durations(list ...string) (all []time.Duration) {
	for _, s := range list {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		all = append(all, d)
	}
	return all
}

// factsTable is what docs/facts.md has of times and numbers.
func factsTable(*testing.T) string {
	var rows [][]string
	for _, f := range timedFacts {
		rows = append(rows, []string{f.what, f.value, f.measured})
	}
	for _, f := range countedFacts {
		rows = append(rows, []string{f.what, f.value, f.measured})
	}
	return markdown([]string{"fact", "value", "measured by"}, rows)
}

// defaultsTable is what it has of sysctls.
func defaultsTable(*testing.T) string {
	var rows [][]string
	for _, s := range sysctlFacts {
		rows = append(rows, []string{code(s.name), s.value, s.unit, s.what})
	}
	return markdown([]string{"sysctl", "default", "unit", "what it is"}, rows)
}

// A network namespace that has just been made has the defaults, whatever this host is set to.
func TestTheDefaultsAreThisKernels(t *testing.T) {
	for _, s := range sysctlFacts {
		path := "/proc/sys/" + strings.ReplaceAll(s.name, ".", "/")
		out, err := exec.Command("unshare", "--map-root-user", "--net", "cat", path).CombinedOutput()
		switch {
		case err != nil && strings.Contains(string(out), "No such file"):
			t.Logf("%s: this kernel does not have it", s.name)
		case err != nil:
			t.Skipf("no namespace can be made here: %v: %s", err, out)
		case strings.Join(strings.Fields(string(out)), " ") != s.value:
			t.Errorf("%s: %s is its default here, and docs/facts.md says %s", s.name, strings.TrimSpace(string(out)), s.value)
		}
	}
}

// What follows from others does follow.
func TestTheFactsAgree(t *testing.T) {
	value := map[string]int{}
	for _, s := range sysctlFacts {
		var n int
		fmt.Sscan(s.value, &n)
		value[s.name[strings.LastIndexByte(s.name, '.')+1:]] = n
	}
	waits := func(first, longest time.Duration, n int) (sum time.Duration) { // the wait after the last one counts, too
		for ; n >= 0; n-- {
			sum += first
			first = min(2*first, longest)
		}
		return sum
	}
	longest := time.Duration(value["tcp_rto_max_ms"]) * time.Millisecond
	if sum := waits(time.Second, longest, value["tcp_synack_retries"]); sum != fact(t, "half-open").is[0] {
		t.Errorf("a half-open connection lasts %s", sum)
	}
	linear := time.Duration(value["tcp_syn_linear_timeouts"]) * time.Second
	if sum := waits(time.Second, longest, value["tcp_syn_retries"]); linear+sum != fact(t, "connect()").is[0] || sum != fact(t, "connect()").is[1] {
		t.Errorf("connect() gives up after %s, and before Linux 6.5 after %s", linear+sum, sum)
	}
	shortest := time.Duration(value["tcp_rto_min_us"]) * time.Microsecond
	if sum := waits(shortest, longest, value["tcp_retries2"]); sum.Truncate(time.Minute) != fact(t, "data that").is[0] {
		t.Errorf("data is given up after %s", sum)
	}
	lo, hi := value["ip_local_port_range"], 0
	fmt.Sscan(strings.Fields(sysctlFacts[1].value)[1], &hi)
	if n := hi - lo + 1; fmt.Sprintf("%d,%03d", n/1000, n%1000) != countedFacts[1].is {
		t.Errorf("from %d to %d there are %d ports", lo, hi, n)
	}
}

// fact is the one about a time whose name has a word in it.
func fact(t *testing.T, word string) timed {
	t.Helper()
	for _, f := range timedFacts {
		if strings.Contains(f.what, word) {
			return f
		}
	}
	t.Fatalf("no fact about %s", word)
	return timed{}
}
