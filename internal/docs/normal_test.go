package docs

import (
	"regexp"
	"slices"
	"strings"
)

var (
	blank    = regexp.MustCompile(`\s+`)
	address  = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+(%[\w.]+)?\]):\d+`)
	ports    = regexp.MustCompile(`\d{4,5}\.\.\d{4,5}`)
	portOnly = regexp.MustCompile(`:\d{4,5}\b`)
	pointer  = regexp.MustCompile(`0x[0-9a-f]{6,}`)
	firstFD  = regexp.MustCompile(`^([a-z0-9_]+\()\d+`)
	someData = regexp.MustCompile(`\d+bytes`)
	returned = regexp.MustCompile(`=(-1E[A-Z0-9]+|\d+)(endofstream)?(from.*?)?(took.*)?$`)
	argument = regexp.MustCompile(`"(\\.|[^"\\])*"\.*`)
)

// normal is a text as it is in every run: without ports, and without spaces, since lines end where there is room.
func normal(text string) string {
	text = address.ReplaceAllString(pointer.ReplaceAllString(blank.ReplaceAllString(text, ""), "POINTER"), "ADDR")
	return portOnly.ReplaceAllString(ports.ReplaceAllString(text, "PORTS"), ":PORT")
}

// named is the name of a socket, behind its descriptor.
var named = regexp.MustCompile(`\(fd<[^>]*>`)

// normalCall is a call without descriptors, addresses and how much was moved: read(fd,n)=n.
func normalCall(text string) string {
	text = firstFD.ReplaceAllString(blank.ReplaceAllString(text, ""), "${1}fd")
	text = named.ReplaceAllString(text, "(fd") // a lesson may name a socket when its call has been told
	m := returned.FindStringSubmatchIndex(text)
	if m == nil {
		return normal(text)
	}
	call, result := text[:m[0]], text[m[2]:m[3]]
	name, _, _ := strings.Cut(call, "(")
	switch {
	case strings.HasPrefix(result, "-1"):
		result = result[2:]
	case slices.Contains([]string{"socket", "accept4", "dup"}, name):
		result = "fd"
	case repeats(call) && m[4] < 0:
		result = "n"
	case m[4] >= 0:
		result = "end"
	}
	if name == "getsockopt" { // a saved SYN has other numbers each time
		call = argument.ReplaceAllString(call, "DATA")
	}
	return normal(someData.ReplaceAllString(call, "n")) + "=" + result
}

// repeats tells the calls of which there may be any number: data comes and goes in pieces.
func repeats(call string) bool {
	return slices.ContainsFunc([]string{"read(", "recvfrom(", "write(", "sendto("}, func(p string) bool { return strings.HasPrefix(call, p) })
}

var (
	duration = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|us|ms|s)\b`)
	timeOf   = regexp.MustCompile(`\b\d\d:\d\d:\d\d\.\d{3}\b`)
)

// plainLine is a line of any other output.
func plainLine(line string) string {
	line = duration.ReplaceAllString(timeOf.ReplaceAllString(line, "TIME"), "TIME")
	line = portOnly.ReplaceAllString(address.ReplaceAllString(line, "ADDR"), ":PORT")
	return strings.TrimSpace(blank.ReplaceAllString(line, " "))
}
