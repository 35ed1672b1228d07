// Package cli is what the two commands share: their flags, addresses, messages and exit statuses.
package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"socklife/internal/observe"
)

// DefaultAddr is where echod listens unless it is told otherwise: the echo port of RFC 862, 7, out of reach of the
// privileged ports.
const DefaultAddr = "127.0.0.1:7007"

const defaultPort = "7007"

// LooksLikeAddr tells an address from the name of a scenario: names have no colon and no dot.
func LooksLikeAddr(arg string) bool {
	return strings.ContainsAny(arg, ":.") || arg == "localhost"
}

// lookupTime is how long the name servers are given.
const lookupTime = 10 * time.Second

// Address reads HOST:PORT, [IPV6%ZONE]:PORT, :PORT, or HOST alone, which means port 7007. A name is looked up, unless
// ctx ends meanwhile. With --ipv6 it is an IPv6 address.
func (f *Flags) Address(ctx context.Context, arg string) (netip.AddrPort, error) {
	host, port, err := splitAddr(arg)
	if err != nil {
		return netip.AddrPort{}, Usage{err.Error()}
	}
	number, err := portNumber(port)
	if err != nil {
		return netip.AddrPort{}, Usagef("address %q: %v", arg, err)
	}
	ip, err := lookup(ctx, host, f.IPv6)
	if ctx.Err() != nil {
		return netip.AddrPort{}, context.Cause(ctx)
	}
	if err != nil {
		return netip.AddrPort{}, Usagef("address %q: %v", arg, err)
	}
	return netip.AddrPortFrom(ip, number), nil
}

// notAnAddress is what to say of a number alone: 7007 is a port.
func notAnAddress(number string) string {
	return fmt.Sprintf("%s is no address: did you mean :%[1]s? (HOST:PORT; without a host it is this one)", number)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// bareAddr is an address without a port: 127.0.0.1, ::1 or [::1].
func bareAddr(arg string) (netip.Addr, error) {
	if inner, ok := strings.CutPrefix(arg, "["); ok && strings.HasSuffix(inner, "]") {
		arg = strings.TrimSuffix(inner, "]")
	}
	if strings.ContainsAny(arg, "[]") {
		return netip.Addr{}, fmt.Errorf("address %q: brackets belong around it", arg)
	}
	return netip.ParseAddr(arg)
}

func splitAddr(arg string) (host, port string, err error) {
	if ip, err := bareAddr(arg); err == nil {
		return ip.String(), defaultPort, nil
	}
	if isNumber(arg) {
		return "", "", errors.New(notAnAddress(arg))
	}
	if !strings.Contains(arg, ":") {
		return arg, defaultPort, nil
	}
	host, port, err = net.SplitHostPort(arg)
	if err != nil {
		return "", "", fmt.Errorf("address %q: want HOST:PORT, as 127.0.0.1:7007 or [::1]:7007", arg)
	}
	return host, port, nil
}

func portNumber(port string) (uint16, error) {
	if n, err := net.LookupPort("tcp", port); err == nil && port != "" {
		return uint16(n), nil
	}
	return 0, fmt.Errorf("port %q: want a number from 0 to 65535, or a service's name", port)
}

func lookup(ctx context.Context, host string, v6 bool) (netip.Addr, error) {
	if host == "" {
		return Loopback(v6), nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, notIPv6(ip, v6)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	network := "ip"
	if v6 {
		network = "ip6"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil || len(ips) == 0 {
		return netip.Addr{}, fmt.Errorf("no such host%s: %q", map[bool]string{true: " with an IPv6 address"}[v6], host)
	}
	for _, ip := range ips {
		if ip.Unmap().Is4() {
			return ip.Unmap(), notIPv6(ip, v6)
		}
	}
	return ips[0], nil
}

// notIPv6 is an error if that was asked for and is not so.
func notIPv6(ip netip.Addr, wanted bool) error {
	if wanted && ip.Unmap().Is4() {
		return errors.New("not an IPv6 address, which --ipv6 asks for")
	}
	return nil
}

// BindAddress reads --bind: like Address, but HOST alone means any port.
func (f *Flags) BindAddress(ctx context.Context, arg string) (netip.AddrPort, error) {
	if arg == "" {
		return netip.AddrPort{}, nil
	}
	if _, err := bareAddr(arg); err == nil || !strings.Contains(arg, ":") && !isNumber(arg) {
		addr, err := f.Address(ctx, arg)
		return netip.AddrPortFrom(addr.Addr(), 0), err
	}
	return f.Address(ctx, arg)
}

// Loopback is this host's address to itself.
func Loopback(v6 bool) netip.Addr {
	if v6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// OnThisHost tells whether an address belongs to this host, so that the socket there can be seen from here.
func OnThisHost(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || observe.HostAddresses()[a.Unmap().WithZone("")]
}

// ServerLabel says how the server is seen from the client's terminal, and by which source, if it is.
func ServerLabel(a netip.AddrPort) (label, source string) {
	if OnThisHost(a.Addr()) {
		return "server " + a.String() + " (seen through sock_diag)", "sock_diag"
	}
	return "server " + a.String() + " (on another host: cannot be seen)", ""
}
