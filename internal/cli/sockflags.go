package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socklife/sockapi"
)

// SocketFlags are the flags that set a socket option each, named after it. They are applied in the order of this file,
// so that the same command line makes the same calls.
type SocketFlags struct {
	set     *pflag.FlagSet
	options []optionFlag
	backlog int
}

// optionFlag is one of them.
type optionFlag struct {
	name  string
	check func() error
	apply func(*sockapi.Socket) error
}

func newSocketFlags() *SocketFlags {
	f := &SocketFlags{set: newSet("socket options")}
	f.set.IntVar(&f.backlog, "backlog", 0, "listen(2)'s length of the accept queue")
	f.boolean("reuseaddr", sockapi.SO_REUSEADDR, "SO_REUSEADDR: bind over connections in TIME-WAIT")
	f.boolean("reuseport", sockapi.SO_REUSEPORT, "SO_REUSEPORT: share the port with other listeners")
	f.boolean("v6only", sockapi.IPV6_V6ONLY, "IPV6_V6ONLY: keep IPv4 away from an IPv6 socket")
	seconds := f.set.Int("linger", 0, "SO_LINGER: close waits so many seconds; 0 resets")
	add(f, "linger", seconds, atLeast(0, "want a number from %v up"), setLinger)
	f.boolean("keepalive", sockapi.SO_KEEPALIVE, "SO_KEEPALIVE: probe a silent peer")
	f.duration("keepidle", sockapi.TCP_KEEPIDLE, time.Second, "TCP_KEEPIDLE: silence before the first probe")
	f.duration("keepintvl", sockapi.TCP_KEEPINTVL, time.Second, "TCP_KEEPINTVL: time between probes")
	f.number("keepcnt", sockapi.TCP_KEEPCNT, "TCP_KEEPCNT: probes before giving up")
	f.buffer("rcvbuf", sockapi.SO_RCVBUF, "SO_RCVBUF: receive buffer in bytes (the kernel doubles it)")
	f.buffer("sndbuf", sockapi.SO_SNDBUF, "SO_SNDBUF: send buffer in bytes (the kernel doubles it)")
	f.duration("rcvtimeo", sockapi.SO_RCVTIMEO, time.Microsecond, "SO_RCVTIMEO: how long accept and read wait")
	f.duration("sndtimeo", sockapi.SO_SNDTIMEO, time.Microsecond, "SO_SNDTIMEO: how long connect and write wait")
	f.boolean("nodelay", sockapi.TCP_NODELAY, "TCP_NODELAY: send small writes at once")
	f.boolean("quickack", sockapi.TCP_QUICKACK, "TCP_QUICKACK: acknowledge at once, for now")
	f.number("maxseg", sockapi.TCP_MAXSEG, "TCP_MAXSEG: largest segment in bytes")
	f.number("syncnt", sockapi.TCP_SYNCNT, "TCP_SYNCNT: how often a SYN is sent again")
	f.duration("user-timeout", sockapi.TCP_USER_TIMEOUT, time.Millisecond, "TCP_USER_TIMEOUT: longest wait for an acknowledgement")
	f.duration("defer-accept", sockapi.TCP_DEFER_ACCEPT, time.Second, "TCP_DEFER_ACCEPT: accept only when data has come")
	f.duration("linger2", sockapi.TCP_LINGER2, time.Second, "TCP_LINGER2: how long an orphan stays in FIN-WAIT-2")
	f.boolean("save-syn", sockapi.TCP_SAVE_SYN, "TCP_SAVE_SYN: keep each client's SYN")
	ports := f.set.String("local-port-range", "", "IP_LOCAL_PORT_RANGE: `LO-HI`, the ports to choose from (Linux 6.3)")
	add(f, "local-port-range", ports, checkPortRange, setPortRange)
	return f
}

// Backlog is nil unless the flag was given.
func (f *SocketFlags) Backlog() *int {
	if !f.set.Changed("backlog") {
		return nil
	}
	return &f.backlog
}

// Typed is what was given of them; "" is nothing.
func (f *SocketFlags) Typed() string {
	var words []string
	f.set.VisitAll(func(fl *pflag.Flag) {
		switch {
		case !fl.Changed:
		case fl.Value.Type() == "bool" && fl.Value.String() == "true":
			words = append(words, "--"+fl.Name)
		case fl.Value.Type() == "bool":
			words = append(words, "--"+fl.Name+"="+fl.Value.String())
		default:
			words = append(words, "--"+fl.Name+" "+fl.Value.String())
		}
	})
	return strings.Join(words, " ")
}

// Given tells whether that option was asked for.
func (f *SocketFlags) Given(name string) bool { return f.set.Changed(name) }

// Apply sets the options that were given on s.
func (f *SocketFlags) Apply(s *sockapi.Socket) error {
	for _, o := range f.options {
		if !f.set.Changed(o.name) {
			continue
		}
		if err := o.apply(s); err != nil {
			return fmt.Errorf("--%s %s: %w", o.name, f.set.Lookup(o.name).Value, err)
		}
	}
	return nil
}

// check refuses what no kernel would take.
func (f *SocketFlags) check() error {
	for _, o := range f.options {
		if !f.set.Changed(o.name) || o.check == nil {
			continue
		}
		if err := o.check(); err != nil {
			return Usagef("--%s %s: %v", o.name, f.set.Lookup(o.name).Value, err)
		}
	}
	return nil
}

// add declares the flag whose value is *v. check says what is wrong with it; nil is nothing.
func add[T any](f *SocketFlags, name string, v *T, check func(T) error, set func(*sockapi.Socket, T) error) {
	o := optionFlag{name: name, apply: func(s *sockapi.Socket) error { return set(s, *v) }}
	if check != nil {
		o.check = func() error { return check(*v) }
	}
	f.options = append(f.options, o)
}

func (f *SocketFlags) boolean(name string, o sockapi.Option[bool], usage string) {
	add(f, name, f.set.Bool(name, false, usage), nil, o.Set)
}

func (f *SocketFlags) number(name string, o sockapi.Option[int], usage string) {
	add(f, name, f.set.Int(name, 0, usage), atLeast(1, "want a number from %v up"), o.Set)
}

// buffer is a number that the kernel changes, so it is read back for the user to see.
func (f *SocketFlags) buffer(name string, o sockapi.Option[int], usage string) {
	add(f, name, f.set.Int(name, 0, usage), atLeast(1, "want a number from %v up"), func(s *sockapi.Socket, n int) error {
		_, err := o.SetGet(s, n)
		return err
	})
}

func (f *SocketFlags) duration(name string, o sockapi.Option[time.Duration], unit time.Duration, usage string) {
	add(f, name, f.set.Duration(name, 0, usage), atLeast(unit, "want a time of at least %v, as 5s"), o.Set)
}

func atLeast[T int | time.Duration](least T, want string) func(T) error {
	return func(v T) error {
		if v < least {
			return fmt.Errorf(want, least)
		}
		return nil
	}
}

func setLinger(s *sockapi.Socket, seconds int) error {
	return sockapi.SO_LINGER.Set(s, sockapi.Linger{OnOff: true, Seconds: seconds})
}

func checkPortRange(lohi string) error {
	_, err := parsePortRange(lohi)
	return err
}

func setPortRange(s *sockapi.Socket, lohi string) error {
	r, err := parsePortRange(lohi)
	if err != nil {
		return err
	}
	return sockapi.IP_LOCAL_PORT_RANGE.Set(s, r)
}

func parsePortRange(s string) (sockapi.PortRange, error) {
	lo, hi, ok := strings.Cut(s, "-")
	l, err1 := strconv.ParseUint(lo, 10, 16)
	h, err2 := strconv.ParseUint(hi, 10, 16)
	if !ok || err1 != nil || err2 != nil || l > h {
		return sockapi.PortRange{}, fmt.Errorf("want LO-HI, as 40000-40002")
	}
	return sockapi.PortRange{Lo: uint16(l), Hi: uint16(h)}, nil
}
