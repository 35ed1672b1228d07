package states

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// What the checker lets through, and what it finds.
func TestWhatIsFound(t *testing.T) {
	server := []life{{{"SYN-RECEIVED", ms(30), ms(30)}, {"ESTABLISHED", ms(30), ms(50)}, {"CLOSE-WAIT", ms(50), ms(60)}, {"LAST-ACK", ms(60), ms(70)}}}
	client := []life{{{"SYN-SENT", ms(10), ms(20)}, {"ESTABLISHED", ms(20), ms(40)}, {"FIN-WAIT-1", ms(40), ms(51)}, {"FIN-WAIT-2", ms(51), ms(65)}}}
	for _, c := range []struct {
		name   string
		told   []state
		lives  []life
		resets []time.Duration
		wrong  int
	}{
		{"a server's life", []state{{1, ms(15), "", "SYN-RECEIVED", ""}, {2, ms(31), "SYN-RECEIVED", "ESTABLISHED", ""},
			{3, ms(52), "ESTABLISHED", "CLOSE-WAIT", ""}, {4, ms(71), "CLOSE-WAIT", "CLOSED", ""}}, server, nil, 0},
		{"a client's life", []state{{1, ms(21), "", "ESTABLISHED", ""}, {2, ms(52), "ESTABLISHED", "FIN-WAIT-2", ""},
			{3, ms(66), "FIN-WAIT-2", "TIME-WAIT", ""}}, client, nil, 0},
		{"TIME-WAIT is there before the full socket is gone", []state{{1, ms(65) - 7*time.Microsecond, "", "TIME-WAIT", ""}}, client, nil, 0},
		{"TIME-WAIT while it is open", []state{{1, ms(60), "", "TIME-WAIT", ""}}, client, nil, 1},
		{"TIME-WAIT ends by RST", []state{{1, ms(66), "", "TIME-WAIT", ""}, {2, ms(69), "TIME-WAIT", "CLOSED", ""}}, client, []time.Duration{ms(68)}, 0},
		{"TIME-WAIT ends by itself", []state{{1, ms(66), "", "TIME-WAIT", ""}, {2, ms(69), "TIME-WAIT", "CLOSED", ""}}, client, nil, 1},
		{"closed, and then accepted", []state{{1, ms(15), "", "SYN-RECEIVED", ""}, {2, ms(29), "SYN-RECEIVED", "CLOSED", ""}}, server, nil, 1},
		{"closed while it is open", []state{{1, ms(15), "", "SYN-RECEIVED", ""}, {2, ms(33), "SYN-RECEIVED", "CLOSED", ""}}, server, nil, 1},
		{"closed a little too early", []state{{1, ms(65), "", "LAST-ACK", ""}, {2, ms(70) - time.Millisecond/10, "LAST-ACK", "CLOSED", ""}}, server, nil, 1},
		{"back again", []state{{1, ms(52), "", "CLOSE-WAIT", ""}, {2, ms(53), "CLOSE-WAIT", "ESTABLISHED", ""}}, server, nil, 1},
		{"too early", []state{{1, ms(15), "", "ESTABLISHED", ""}}, server, nil, 1},
		{"from something else", []state{{1, ms(35), "", "ESTABLISHED", ""}, {2, ms(55), "SYN-RECEIVED", "CLOSE-WAIT", ""}}, server, nil, 1},
		{"the wrong one waits", []state{{1, ms(75), "", "TIME-WAIT", ""}}, server, nil, 1},
		{"never", []state{{1, ms(75), "", "CLOSING", ""}}, server, nil, 1},
		{"a half-open entry that is dropped", []state{{1, ms(15), "", "SYN-RECEIVED", ""}, {2, ms(33), "SYN-RECEIVED", "CLOSED", ""}}, nil, nil, 0},
	} {
		if _, wrong := held(c.told, c.lives, c.resets, time.Microsecond); len(wrong) != c.wrong {
			t.Errorf("%s: %d wrong, want %d: %q", c.name, len(wrong), c.wrong, wrong)
		}
	}
}

// The tracepoint's text is put together to lives: a connect() that has yet to choose its port is that of the socket
// which leaves SYN-SENT with one.
func TestLivesOfATrace(t *testing.T) {
	const text = `           echoc-1     [000] ...1.   10.000100: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=7007 dport=0 saddr=198.51.100.2 daddr=0.0.0.0 saddrv6=::ffff:198.51.100.2 daddrv6=::ffff:0.0.0.0 oldstate=TCP_CLOSE newstate=TCP_LISTEN
           echoc-1     [000] ...1.   10.000200: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=0 dport=7007 saddr=198.51.100.1 daddr=198.51.100.2 saddrv6=::ffff:198.51.100.1 daddrv6=::ffff:198.51.100.2 oldstate=TCP_CLOSE newstate=TCP_SYN_SENT
           echoc-1     [000] ...1.   10.000300: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=40000 dport=7007 saddr=198.51.100.1 daddr=198.51.100.2 saddrv6=::ffff:198.51.100.1 daddrv6=::ffff:198.51.100.2 oldstate=TCP_SYN_SENT newstate=TCP_ESTABLISHED
           echoc-1     [000] ...1.   10.000400: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=40000 dport=7007 saddr=198.51.100.1 daddr=198.51.100.2 saddrv6=::ffff:198.51.100.1 daddrv6=::ffff:198.51.100.2 oldstate=TCP_ESTABLISHED newstate=TCP_CLOSE
`
	var told []transition
	for row := range strings.Lines(text) {
		tr, err := parse(row)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, tr)
	}
	at := func(us int) time.Duration { return 10*time.Second + time.Duration(us)*time.Microsecond }
	want := map[ends][]life{
		{local: netip.MustParseAddrPort("198.51.100.2:7007")}: {{{"LISTEN", at(100), forever}}},
		{netip.MustParseAddrPort("198.51.100.1:40000"), netip.MustParseAddrPort("198.51.100.2:7007")}: {
			{{"SYN-SENT", at(200), at(300)}, {"ESTABLISHED", at(300), at(400)}}},
	}
	if lives := livesOf(told); !reflect.DeepEqual(lives, want) {
		t.Errorf("%v, want %v", lives, want)
	}
}
