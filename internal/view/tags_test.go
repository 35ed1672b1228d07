package view

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

func called(name string, b timeline.Body) timeline.Body {
	timeline.LabelOf(b).Name = name
	return b
}

func TestSocketsInALaneAreToldApart(t *testing.T) {
	other := queue(1, 128, 0)
	other.Local = addr("127.0.0.1:7008")
	s := (&script{}).
		at(0, S, called("first", listen(3, 128))).
		at(10, S, called("first", queue(0, 128, 0))).
		at(2500, S, other).
		at(5000, S, queue(2, 128, 0)).
		at(7500, C, called("late", connect(9, serverAddr))).
		at(7600, C, called("late", st(tcpinfo.Closed, tcpinfo.Established, client)))
	got := body(s, Options{ManyConns: true})
	for _, want := range []string{
		"listen(3<first>, 128) = 0", "<first> accept queue 0/128", ":7008 accept queue 1/128", ":7007 accept queue 2/128",
		"connect(9<late>,", "<late> CLOSED → ESTABLISHED",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	one := body((&script{}).at(0, S, queue(0, 128, 0)).at(5000, S, queue(1, 128, 0)), Options{})
	if strings.Contains(one, ":7007") {
		t.Errorf("one listener needs no name:\n%s", one)
	}
}

// A colour is a socket's as long as a run lasts, in both lanes, and says nothing alone.
func TestASocketKeepsItsColour(t *testing.T) {
	var g tags
	a, b := g.hue("<first>"), g.hue(":40112")
	if a == b || g.hue("<first>") != a || g.hue(":40112") != b {
		t.Errorf("<first> %v, :40112 %v, then %v and %v", a, b, g.hue("<first>"), g.hue(":40112"))
	}
}
