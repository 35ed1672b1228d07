package figure

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// measuredSample is a table in which some was seen, in every way, and some was not.
func measuredSample() (table []*timeline.Coverage) {
	for _, s := range rfc9293.States {
		table = append(table, &timeline.Coverage{State: s, Seen: s != tcpinfo.Closing, Scenario: "handshake", Source: "tcp_info", WhyNot: "not here"})
	}
	for i, tr := range rfc9293.Transitions {
		c := &timeline.Coverage{From: tr.From, To: tr.To, Seen: i%4 != 3, Scenario: "handshake", Source: "tracepoint", WhyNot: "takes 60 s: --full waits for it"}
		for range i % 3 {
			c.Causes = append(c.Causes, timeline.Cause{By: tr.When, Scenario: "half-close --wire"})
		}
		table = append(table, c)
	}
	return table
}

// The measured diagram is drawn as it was when somebody looked at it.
func TestMeasuredGolden(t *testing.T) {
	golden(t, "measured.svg.golden", drawn(t, func(b *strings.Builder) error { return Measured(b, "Linux 6.18, amd64", measuredSample()) }))
	golden(t, "measured.md.golden", drawn(t, func(b *strings.Builder) error { return MeasuredMermaid(b, measuredSample()) }))
}

// Each transition stands in the picture and in the list, with its number.
func TestEveryTransitionIsDrawn(t *testing.T) {
	svg := drawn(t, func(b *strings.Builder) error { return Measured(b, "", measuredSample()) })
	if got := strings.Count(svg, "<circle "); got != len(rfc9293.Transitions) {
		t.Errorf("%d numbers, and %d transitions", got, len(rfc9293.Transitions))
	}
	for _, tr := range rfc9293.Transitions {
		if !strings.Contains(svg, ">"+tr.From.String()+" → "+tr.To.String()+"<") {
			t.Errorf("%s to %s is not in the list", tr.From, tr.To)
		}
	}
}

// What a record says is text, whatever it is.
func TestMeasuredTakesHostileText(t *testing.T) {
	table := measuredSample()
	hostile := "</text><script>alert(1)</script>\x1b[2J\x00]]>```\nend;\u202e"
	for _, c := range table {
		c.Scenario, c.Source, c.WhyNot = hostile, hostile, hostile
		c.Causes = []timeline.Cause{{By: hostile, Scenario: hostile}}
	}
	svg := drawn(t, func(b *strings.Builder) error { return Measured(b, hostile, table) })
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if e, is := token.(xml.StartElement); err != nil || is && e.Name.Local == "script" {
			t.Fatalf("%v, %v", token, err)
		}
	}
	md := drawn(t, func(b *strings.Builder) error { return MeasuredMermaid(b, table) })
	if strings.Count(md, "```") != 2 || strings.ContainsAny(md, "\x1b\x00") {
		t.Errorf("%q", md)
	}
	parse(t, map[string]string{"hostile": md, "sample": drawn(t, func(b *strings.Builder) error { return MeasuredMermaid(b, measuredSample()) })})
}
