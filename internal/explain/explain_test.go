package explain

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"socklife/tcpinfo"
)

// oneSentence says whether that is what a text is. It may begin with a call.
func oneSentence(s string) bool {
	return strings.HasSuffix(s, ".") && !strings.ContainsAny(s, "\n\t") && !strings.Contains(s, ". ") && (s[:1] == strings.ToUpper(s[:1]) || aCall.MatchString(s))
}

var aCall = regexp.MustCompile(`^[a-z]+\(`)

func TestState(t *testing.T) {
	t.Parallel()
	for _, s := range tcpinfo.States() {
		e := State(s)
		if e.Who == "" || len(e.Governs) == 0 || !strings.Contains(e.Waits, s.String()) {
			t.Errorf("%v: %+v", s, e)
		}
		for _, sentence := range []string{e.Waits, e.Act, e.Lasts} {
			if !oneSentence(sentence) {
				t.Errorf("%v: %q is not one sentence", s, sentence)
			}
		}
	}
	if State(tcpinfo.CloseWait).Who != applicationHere || State(tcpinfo.FinWait2).Who != peersApplication || State(tcpinfo.TimeWait).Who != aTimer {
		t.Error("who must act is wrong")
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range Counters() {
		known, says := Counter(name)
		if known != name || !oneSentence(says) || seen[name] {
			t.Errorf("%s: %q says %q, and came before: %v", name, known, says, seen[name])
		}
		seen[name] = true
	}
	for asked, want := range map[string]string{
		"tcpabortondata": "TCPAbortOnData", "TcpExtTCPAbortOnData": "TCPAbortOnData", "TCPEXTLISTENOVERFLOWS": "ListenOverflows",
		"TcpOutRsts": "OutRsts", "tw": "TW", "InOctets": "", "": "",
	} {
		if known, says := Counter(asked); known != want || (says == "") != (want == "") {
			t.Errorf("%q is %q, which says %q; want %q", asked, known, says, want)
		}
	}
}

// TestCountersOfKernel: what is explained is there to be read.
func TestCountersOfKernel(t *testing.T) {
	t.Parallel()
	has, err := tcpinfo.ReadCounters()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no /proc/thread-self/net/netstat here: mount proc")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := has["PAWSTimewait"]; !ok { // Linux 6.16 brought it, as the youngest
		t.Skip("the table describes Linux 6.18; this kernel may lack some of it")
	}
	for _, name := range Counters() {
		if _, ok := has[name]; !ok {
			t.Errorf("%s is explained, and this kernel has no such counter", name)
		}
	}
}
