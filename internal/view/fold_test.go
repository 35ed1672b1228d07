package view

import (
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// aside labels an event as beside the lesson.
func aside(b timeline.Body) timeline.Body {
	*timeline.LabelOf(b) = timeline.Label{Name: "control", Aside: true}
	return b
}

// agreeing is a run in which the sides agree twice, with something of the lesson in between.
func agreeing() *script {
	return (&script{}).
		at(0, C, aside(socket(5))).at(10, C, aside(connect(5, serverAddr))).at(20, S, aside(accept(4, 6, clientAddr, 0))).
		at(30, C, aside(st(0, tcpinfo.Established, client))).at(40, S, aside(write(6, "connect\n"))).at(50, C, aside(read(5, "connect\n", 256))).
		at(60, C, socket(7)).
		at(70, S, aside(queue(0, 128, 0))).at(80, S, aside(write(6, "reset\n"))).
		at(90, C, closes(7)).
		at(100, C, aside(read(5, "reset\n", 256))).
		at(110, C, socket(7)).
		at(120, C, aside(closes(5))).at(130, S, aside(closes(6)))
}

func TestWhatIsBesideTheLessonIsOneLineAStretch(t *testing.T) {
	got := strings.Split(strings.TrimSuffix(body(agreeing(), Options{}), "\n"), "\n")
	want := []string{
		"    0.000 ⋮ both sides agree over a connection of their own (--all shows it)",
		"    0.060 socket(AF_INET, SOCK_STREAM|",
		"              SOCK_CLOEXEC, IPPROTO_IP) = 7",
		"    0.080 ⋮ both sides agree on the next step",
		"    0.090 close(7) = 0", // and the word that is read then was said above
		"    0.110 socket(AF_INET, SOCK_STREAM|",
		"              SOCK_CLOEXEC, IPPROTO_IP) = 7",
		"    0.120 ⋮ both sides close the connection over which they agreed",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A terminal in which only one side runs does not see what the other has said before it is read.
func TestAWordOfAnotherProcessIsALineWhereItIsRead(t *testing.T) {
	got := body((&script{}).at(0, C, socket(7)).at(10, C, aside(read(5, "go on\n", 256))), Options{})
	if !strings.Contains(got, "both sides agree on the next step") {
		t.Error(got)
	}
}

func TestAllShowsWhatIsBesideTheLesson(t *testing.T) {
	got := body(agreeing(), Options{All: true})
	if strings.Contains(got, "⋮") || strings.Count(got, "connect\\n") != 2 {
		t.Error(got)
	}
}
