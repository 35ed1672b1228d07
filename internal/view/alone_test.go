package view

import (
	"bytes"
	"strings"
	"testing"
)

// Where the other end is on a host that cannot be seen, no half of the terminal stays empty for it.
func TestOneSideAloneHasAllTheWidth(t *testing.T) {
	o := Options{Alone: C, ServerLabel: "server 192.0.2.1:7007 (on another host: cannot be seen)"}
	var b bytes.Buffer
	s := (&script{}).at(0, C, socket(5)).at(10, C, connect(5, "192.0.2.1:7007")).at(20, S, met("of the other side"))
	s.show(newTerminal(&b, o))
	want := []string{
		"          server 192.0.2.1:7007 (on another host: cannot be seen)",
		"       ms client",
		"    0.000 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 5",
		"    0.010 connect(5, 192.0.2.1:7007) = 0",
		"          server:",
		"          ✓ of the other side",
	}
	if got := b.String(); !strings.Contains(got, strings.Join(want, "\n")+"\n") {
		t.Errorf("got\n%s", got)
	}
}
