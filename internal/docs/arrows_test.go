package docs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// isArrow tells a segment's line: the client's begins at the left edge of the lanes, the server's at the right one.
func isArrow(line []rune) bool {
	return len(line) > timeWide && strings.Contains(string(line), "──") &&
		(line[timeWide] == '├' || line[len(line)-1] == '┤')
}

// isInferred tells the line of a segment that nobody has seen. What shows it is beside it, and is compared.
func isInferred(line []rune) bool { return strings.Contains(string(line), "╌╌") }

var (
	numbers = regexp.MustCompile(`(seq|ack|len)=(-?\d+)`)
	fates   = regexp.MustCompile(`\b(dropped|held|duplicated)\b`)
	marked  = regexp.MustCompile(`\[([a-z_, ]+)\]`)
	marks   = regexp.MustCompile(`^ *\[[a-z_, ]+\] *$`)
)

// arrow reads a segment, and returns how many lines it has beyond the first: a list of options may go on below,
// and where it ends at the edge, what is said of the segment has a line of its own.
func (tr *transcript) arrow(lines []string) (more int) {
	text := string([]rune(lines[0])[timeWide:])
	for more+1 < len(lines) && (strings.Count(text, "<") > strings.Count(text, ">") || marks.MatchString(lines[more+1])) {
		more++
		text += " " + lines[more]
	}
	side := "server"
	if strings.HasPrefix(text, "├") {
		side = "client"
	}
	if s := segment(text); s != "" {
		tr.segments[side] = append(tr.segments[side], s)
	}
	return more
}

// later is a sequence number. Where those of a second connection count from the first one's, they begin with the time
// that has passed between the two: 64 ns each.
func later(n int) string {
	if n >= 1e4 {
		return "later"
	}
	return strconv.Itoa(n)
}

// segment is what a segment means: SYN, FIN, RST and URG, with the numbers that the handshake and the FIN must have,
// and whatever did not simply arrive. How data and acknowledgements are cut into segments is another thing in every
// run.
func segment(text string) string {
	n := map[string]int{}
	for _, m := range numbers.FindAllStringSubmatch(text, -1) {
		n[m[1]], _ = strconv.Atoi(m[2])
	}
	flags := strings.Fields(strings.Trim(text[:max(0, strings.Index(text, "seq="))], "├┤◀▶─┃✗ "))
	has := map[string]bool{}
	for _, f := range flags {
		has[f] = true
	}
	var words []string
	switch {
	case has["SYN"] && has["ACK"]:
		words = append(words, fmt.Sprintf("SYN ACK seq=%s ack=%s", later(n["seq"]), later(n["ack"])))
	case has["SYN"]:
		words = append(words, "SYN seq="+later(n["seq"]))
	case has["FIN"]:
		words = append(words, "FIN of number "+later(n["seq"]+n["len"]))
	case has["RST"]:
		words = append(words, "RST")
	case has["URG"]:
		words = append(words, "URG")
	}
	if fate := fates.FindString(text); fate != "" {
		words = append(words, fate)
	}
	if len(words) == 0 {
		return ""
	}
	if m := marked.FindStringSubmatch(text); m != nil && strings.Contains(m[1], "retransmission") {
		words = append(words, "again")
	}
	return strings.Join(words, " ")
}

// Whether the mark fits beside the options depends on how many digits the timestamps have in that run.
func TestAMarkMayHaveALineOfItsOwn(t *testing.T) {
	for _, lines := range [][]string{
		{" 1013.984 ◀───────── SYN ACK seq=0 ack=1 <mss 1460, ─────────┤", "     TS val 620257190, wscale 10> [retransmission]", "    next"},
		{" 1013.984 ◀───────── SYN ACK seq=0 ack=1 <mss 1460, ─────────┤", "     TS val 1620257190, wscale 10>", "     [retransmission]", "    next"},
	} {
		tr := &transcript{segments: map[string][]string{}}
		if more := tr.arrow(lines); more != len(lines)-2 || len(tr.segments["server"]) != 1 || tr.segments["server"][0] != "SYN ACK seq=0 ack=1 again" {
			t.Errorf("%d lines more: %q", more, tr.segments)
		}
	}
}
