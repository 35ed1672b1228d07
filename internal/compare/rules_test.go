package compare

import (
	"fmt"
	"strings"
	"testing"
)

func script1(texts ...string) (r run) {
	for _, text := range texts {
		r = append(r, line{lane: "client", text: text, ordered: true})
	}
	return r
}

func TestDiffer(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after []run
		want          string
	}{
		{"the same", []run{script1("a", "b")}, []run{script1("a", "b")}, ""},
		{"what varies is no difference", []run{script1("a", "b"), script1("a")}, []run{script1("a"), script1("a")}, ""},
		{"nor is what the other has sometimes", []run{script1("a", "b"), script1("a", "b")}, []run{script1("a"), script1("a", "b")}, ""},
		{"removed", []run{script1("a", "b"), script1("a", "b")}, []run{script1("a"), script1("a")}, "client: - b"},
		{"added", []run{script1("a")}, []run{script1("a", "b")}, "client: + b"},
		{"once less", []run{script1("a", "a")}, []run{script1("a")}, "client: - a"},
		{"another number", []run{script1("listen(1)")}, []run{script1("listen(2)")}, "client: - listen(1); client: + listen(2)"},
		{"a number that varies", []run{script1("n 1"), script1("n 2")}, []run{script1("n 3"), script1("n 4")}, ""},
		{"gone, though its number varied", []run{script1("n 1"), script1("n 2")}, []run{script1(), script1()}, "client: - n 1"},
		{"moved", []run{script1("a", "b", "c")}, []run{script1("b", "c", "a")}, "client: ~ a"},
		{"either order is right", []run{script1("a", "b"), script1("b", "a")}, []run{script1("b", "a"), script1("b", "a")}, ""},
	} {
		var got []string
		for _, d := range differ(c.before, c.after) {
			got = append(got, d.String())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLoosen(t *testing.T) {
	for text, want := range map[string]string{
		"FIN-WAIT-2 after 1.52s, 262,144 bytes": "FIN-WAIT-2 after N, N bytes",
		"s12.read(AF_INET6, 127.0.0.1:port, 5)": "sN.read(AF_INET6, 127.0.0.1:port, N)",
		"1m0.5s":                                "N",
	} {
		if got := loosen(text); got != want {
			t.Errorf("loosen(%q) = %q, want %q", text, got, want)
		}
	}
}

// A descriptor that is closed is free at once, though close() waits; a call that was interrupted, and a question, are
// no calls.
func TestTraced(t *testing.T) {
	got := ""
	for _, l := range traced("echoc", `1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 8
1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} => {parent_tid=[2]}, 88) = 2
1 connect(8, {sa_family=AF_INET, sin_port=htons(46851), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
1 getsockopt(8, SOL_TCP, TCP_INFO, "\7", [512 => 280]) = 0
1 read(8, "abc", 64) = 3
1 read(8, 0xc000012340, 64) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
1 read(8,  <unfinished ...>
2 read(7, "x", 8) = 1
1 <... read resumed>"defg", 61) = 4
1 close(8 <unfinished ...>
2 socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = 8
2 listen(8, 1) = 0
1 <... close resumed>) = 0
2 accept4(8, NULL, NULL, 0) = 9
2 write(9, "a, \"b", 5) = -1 EPIPE (Broken pipe)
`) {
		got += fmt.Sprintln(l.lane + ": " + l.text)
	}
	want := `echoc, connecting socket 1: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = socket
echoc, connecting socket 1: connect({sa_family=AF_INET, sin_port=htons(port), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
echoc, connecting socket 1: read("abc", 64) = 7
echoc, connecting socket 1: close() = 0
echoc, listening socket 1: socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = socket
echoc, listening socket 1: listen(1) = 0
echoc, listening socket 1: accept4(NULL, NULL, 0) = accepted
echoc, accepted socket 1: write("a, \"b", 5) = EPIPE
`
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}
