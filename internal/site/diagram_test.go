package site

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// The diagram's page has the picture in it and a row for each transition, and what it is told is text.
func TestDiagram(t *testing.T) {
	t.Parallel()
	hostile := "</td><script>alert(1)</script>"
	var b strings.Builder
	if err := Diagram(&b, hostile, append(table, &timeline.Coverage{From: tcpinfo.TimeWait, To: tcpinfo.Closed, Seen: true, Scenario: hostile, Source: hostile})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`src="data:image/svg&#43;xml;base64,`, "1 states and 2 of 3 transitions were seen.",
		"<td>1</td><td>CLOSED</td><td>LISTEN</td><td>listen() (close)</td><td>tcp_info</td>",
		`<tr class="not"><td>2</td><td>LISTEN</td><td>SYN-SENT</td><td>not seen: not in Linux</td>`, "but not what brought it about",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %s in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "<script") {
		t.Error("what it was told is markup")
	}
}
