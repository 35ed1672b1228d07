package tcpinfo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// Counters are a network namespace's TCP counters, by the kernel's own names: those of the "Tcp" lines of
// /proc/net/snmp ("ActiveOpens", "EstabResets", "OutRsts") and of the "TcpExt" lines of /proc/net/netstat
// ("ListenOverflows", "TCPAbortOnData"). The names of the two do not overlap. nstat(8) shows the same numbers
// with the line's name in front: TcpExtListenOverflows.
//
// Values only grow, except CurrEstab, which is the number of connections in ESTABLISHED or CLOSE-WAIT now, and the
// four that describe the implementation: RtoAlgorithm, RtoMin, RtoMax (milliseconds) and MaxConn (-1: no fixed limit).
// They are summed over the CPUs while the kernel prints them, so two counters of one event may be seen one apart.
//
// A counter that this kernel does not have is not in the map: use the two-value form to tell it from 0.
type Counters map[string]int64

// CounterDelta is how far one counter moved.
type CounterDelta struct {
	Name  string // as in [Counters]
	Delta int64  // what was added; negative only for CurrEstab
}

// The files of the calling thread's network namespace. /proc/net means /proc/self/net, which is the namespace of the
// process's first thread: wrong for a goroutine that has locked its thread and moved it into another one.
const (
	snmpFile    = "/proc/thread-self/net/snmp"
	netstatFile = "/proc/thread-self/net/netstat"
)

// ReadCounters reads the counters of the network namespace that the calling thread is in, from
// /proc/thread-self/net/snmp and netstat (proc(5); net/ipv4/proc.c). It needs no privilege. The two files
// are not read at one instant.
//
// Errors are those of reading the files ([*os.PathError]) and of [ParseCounters].
func ReadCounters() (Counters, error) {
	snmp, err := os.ReadFile(snmpFile)
	if err != nil {
		return nil, err
	}
	netstat, err := os.ReadFile(netstatFile)
	if err != nil {
		return nil, err
	}
	return ParseCounters(append(snmp, netstat...))
}

// ParseCounters decodes the text of /proc/net/snmp, of /proc/net/netstat, or of one after the other. Such a file
// is pairs of lines, names and then values, both behind the same prefix. Only the pairs of Tcp and TcpExt are kept;
// the others (Ip, Icmp, Udp, IpExt, MPTcpExt) reuse each other's names. Where a name comes twice the later one counts.
//
// A line without its partner, a different number of names and values, or a value that is not a number is an error.
func ParseCounters(text []byte) (Counters, error) {
	all := make(Counters, 160)
	for line := 1; len(text) > 0; line += 2 {
		var names, values []byte
		names, text, _ = bytes.Cut(text, []byte("\n"))
		if len(names) == 0 {
			line--
			continue // an empty line pairs with nothing
		}
		values, text, _ = bytes.Cut(text, []byte("\n"))
		if err := parsePair(all, names, values); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	return all, nil
}

// parsePair quotes at most 40 bytes of a file that is not what it should be.
func parsePair(into Counters, names, values []byte) error {
	prefix, names, ok := bytes.Cut(names, []byte(":"))
	if !ok {
		return errors.New("no prefix before the counters' names")
	}
	prefix2, values, ok := bytes.Cut(values, []byte(":"))
	if !ok || !bytes.Equal(prefix, prefix2) {
		return fmt.Errorf("no values after the names of %.40q", prefix)
	}
	if string(prefix) != "Tcp" && string(prefix) != "TcpExt" {
		return nil
	}
	keys, numbers := bytes.Fields(names), bytes.Fields(values)
	if len(keys) != len(numbers) {
		return fmt.Errorf("%s has %d names and %d values", prefix, len(keys), len(numbers))
	}
	for i, key := range keys {
		n, err := parseCounter(string(numbers[i]))
		if err != nil {
			return fmt.Errorf("%s %.40q: value %.40q is not a number", prefix, key, numbers[i])
		}
		into[string(key)] = n
	}
	return nil
}

// parseCounter reads a counter as the kernel prints it: an unsigned long, or MaxConn's -1. One that has passed the
// largest int64 wraps, so that the difference of two readings stays right.
func parseCounter(s string) (int64, error) {
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return int64(u), nil
	}
	return strconv.ParseInt(s, 10, 64)
}

// Since lists what changed from an earlier reading to this one, by name. A counter that only one of the readings has is
// left out: nothing is known of how far it moved.
func (c Counters) Since(before Counters) []CounterDelta {
	var moved []CounterDelta
	for name, now := range c {
		if was, ok := before[name]; ok && was != now {
			moved = append(moved, CounterDelta{Name: name, Delta: now - was})
		}
	}
	slices.SortFunc(moved, func(a, b CounterDelta) int { return cmp.Compare(a.Name, b.Name) })
	return moved
}
