package main

import (
	"bytes"
	"strings"
	"testing"
)

// A word is a state or a counter, in any case; what is neither is told what it may have been.
func TestExplainWord(t *testing.T) {
	for word, want := range map[string]string{
		"close_wait":           "CLOSE-WAIT  (ss: CLOSE-WAIT, kernel: TCP_CLOSE_WAIT)\n\n  waits for     A connection in CLOSE-WAIT",
		"TCP_NEW_SYN_RECV":     "SYN-RECEIVED  (ss: SYN-RECV, kernel: TCP_SYN_RECV)\n",
		"tcpabortondata":       "TCPAbortOnData  (a counter of the whole network namespace)\n\n  counts        A connection was aborted by close()",
		"TcpExtTCPAbortOnData": "TCPAbortOnData  (",
	} {
		var out bytes.Buffer
		if err := explainWord(&out, word); err != nil || !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: %v\n%s", word, err, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if len([]rune(line)) > 81 {
				t.Errorf("%s: more than 80 columns: %s", word, line)
			}
		}
	}
	for word, want := range map[string]string{
		"close-wiat": "did you mean CLOSE-WAIT?", "TCPAbortOnDate": "did you mean TCPAbortOnData?", "listenoverflow": "did you mean ListenOverflows?",
		"unrelated-word": "want one of", "": "want one of",
	} {
		var out bytes.Buffer
		if err := explainWord(&out, word); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%q: %v, want %q\n%s", word, err, want, out.String())
		}
	}
}
