package main

import (
	"bytes"
	"strings"
	"testing"

	"socklife/internal/explain"
	"socklife/internal/view"
)

func explained(t *testing.T, word string, width int) string {
	t.Helper()
	var out bytes.Buffer
	if err := explainWord(&out, word, view.Options{Width: width}); err != nil {
		t.Errorf("%s: %v", word, err)
	}
	return out.String()
}

// A word is of one of the kinds, in any case and by any name that the readers' other tools have for it.
func TestExplainWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"close_wait":            "CLOSE-WAIT  (ss: CLOSE-WAIT, kernel: TCP_CLOSE_WAIT)\n\n  waits for     A connection in CLOSE-WAIT",
		"TCP_NEW_SYN_RECV":      "SYN-RECEIVED  (ss: SYN-RECV, kernel: TCP_SYN_RECV)\n",
		"tcpabortondata":        "TCPAbortOnData  (a counter of the whole network namespace)\n\n  counts        A connection was aborted by close()",
		"TcpExtTCPAbortOnData":  "TCPAbortOnData  (",
		"half-close":            "half-close: the client has finished sending and keeps receiving\n\n  A TCP connection is two streams",
		"econnreset":            "ECONNRESET  (Connection reset by peer)\n\n  read, write, SO_ERROR\n                A RST came",
		"EWOULDBLOCK":           "EAGAIN  (Resource temporarily unavailable",
		"retransmission":        "retransmission  (a timer; in ss and in a run: timer on)\n\n  does          A SYN",
		"tcp_fin_timeout":       "tcp_fin_timeout  (a timer",
		"timewait":              "tcp_fin_timeout  (a timer",
		"SO_LINGER":             "SO_LINGER  (a socket option)\n\n  does          Off: close()",
		"linger":                "SO_LINGER  (",
		"--user-timeout":        "TCP_USER_TIMEOUT  (",
		"v6only":                "IPV6_V6ONLY  (",
		"listen()":              "listen()  (a call; listen(2))\n",
		"net.ipv4.tcp_tw_reuse": "net.ipv4.tcp_tw_reuse  (a sysctl)\n\n  changes       Whether connect()",
		"net/core/somaxconn":    "net.core.somaxconn  (a sysctl)\n",
		"tcp_max_syn_backlog":   "net.ipv4.tcp_max_syn_backlog  (a sysctl)\n",
		"sendto":                "write()  (a call; write(2), send(2), send, sendto, sendmsg)\n",
	} {
		if out := explained(t, word, 80); !strings.HasPrefix(out, want) {
			t.Errorf("%s:\n%s\nwant %s", word, out, want)
		}
	}
}

// Of a word with several meanings the others are named, and so that they are found.
func TestExplainWordWithSeveralMeanings(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"close":           `close(), a call: echoc --explain "close()"`,
		"listen":          `Also: listen(), a call: echoc --explain "listen()"`,
		"tcp_fin_timeout": "Also: net.ipv4.tcp_fin_timeout, a sysctl: echoc --explain net.ipv4.tcp_fin_timeout",
		"keepalive":       `Also: SO_KEEPALIVE, a socket option: echoc --explain SO_KEEPALIVE`,
	} {
		if out := explained(t, word, 80); !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("%s: want %s\n%s", word, want, out)
		}
	}
	out := explained(t, "on", 80)
	for _, name := range []string{"retransmission  (", "tail loss probe  (", "reordering  ("} {
		if !strings.Contains(out, name) {
			t.Errorf("on: without %q\n%s", name, out)
		}
	}
}

// Every word of every kind leads to itself, is in the list, and fits; lines of code stay as they are.
func TestEveryWordIsExplained(t *testing.T) {
	t.Parallel()
	list, widths := explained(t, "", 80), []int{40, 60, 80}
	if testing.Short() {
		widths = widths[2:]
	}
	for _, k := range kinds {
		for _, name := range k.names() {
			if !strings.Contains(strings.Join(strings.Fields(list), " "), name) {
				t.Errorf("%s is not in the list", name)
			}
			if k.find(name) == "" {
				t.Errorf("%s: %s does not find it", name, k.what)
			}
			for _, width := range widths {
				for line := range strings.Lines(explained(t, name, width)) {
					if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width && !strings.HasPrefix(line, "    ") {
						t.Errorf("%s: %d columns of %d: %s", name, n, width, line)
					}
				}
			}
		}
	}
}

func TestOrWhichWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--explain": "--explain ", "--explain --help": "--explain  --help", "--explain close": "--explain close", "--explain --linger": "--explain --linger", "--quiet close": "--quiet close", "": "",
	} {
		if got := strings.Join(orWhichWords(strings.Fields(line)), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// What has no entry of its own, such as a function of the kernel, is found where it is spoken of.
func TestExplainWordThatIsSpokenOf(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"tcp_reset":    "and in pages",
		"MSG_NOSIGNAL": "EPIPE",
	} {
		if out := strings.Join(strings.Fields(explained(t, word, 80)), " "); !strings.HasPrefix(out, word+" (it has no entry of its own) ") || !strings.Contains(out, want) {
			t.Errorf("%s: without %q: %s", word, want, out)
		}
	}
}

func TestExplainUnknownWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"close-wiat": "did you mean CLOSE-WAIT?", "TCPAbortOnDate": "did you mean TCPAbortOnData?", "listenoverflow": "did you mean ListenOverflows?",
		"halfclose": "did you mean half-close?", "ECONRESET": "did you mean ECONNRESET?", "SO_REUSADDR": "did you mean SO_REUSEADDR?",
		"unrelated-word": "it takes a scenario (its page), a TCP state, an error of a call, a timer of the kernel, a socket option, a call, a counter of the kernel, what echoc watch finds or a sysctl: echoc --explain lists them",
	} {
		var out bytes.Buffer
		if err := explainWord(&out, word, view.Options{Width: 80}); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%q: %v, want %q\n%s", word, err, want, out.String())
		}
	}
}

// What echoc watch finds is explained under the name that it has there, and under no other's; and so is what to read
// on.
func TestExplainWhatWatchFinds(t *testing.T) {
	for _, f := range explain.Findings() {
		for _, k := range kinds {
			if name := k.find(f.Name); name != "" && k.what != "what echoc watch finds" {
				t.Errorf("%s is %s, too", f.Name, k.what)
			}
		}
		for _, word := range []string{f.Name, f.Word} {
			var b strings.Builder
			if err := explainWord(&b, word, view.Options{Width: 80}); err != nil || !strings.Contains(b.String(), "who must act") && !strings.Contains(b.String(), "a timer") {
				t.Errorf("%s: %v\n%s", word, err, b.String())
			}
		}
	}
}
