package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"socklife/internal/explain"
)

// The two queues of a listener. The picture is drawn by hand; the
// numbers in it are counted (gates_test.go), and its counters and sysctls are asked for here.

// gate is where a segment finds a queue full.
type gate struct {
	n                  int
	comes, finds, then string
	counters           []string
	sysctls            []string
	client             string
	scenario           string
}

var gates = []gate{
	{1, "SYN", "the SYN queue is full (backlog + 1 entries)", "SYN cookies are on, the default: a SYN-ACK goes out, and no entry is made",
		[]string{"TCPReqQFullDoCookies", "SyncookiesSent"}, []string{"net.ipv4.tcp_syncookies", "net.core.somaxconn"}, "connects", "syn-queue"},
	{1, "SYN", "the SYN queue is full, and SYN cookies are off", "the SYN is dropped",
		[]string{"TCPReqQFullDrop", "ListenDrops"}, []string{"net.ipv4.tcp_syncookies"}, "sends the SYN again, and may give up with ETIMEDOUT", "syn-queue"},
	{1, "SYN", "SYN cookies are off, and less than a quarter of tcp_max_syn_backlog is left", "the SYN of an unknown peer is dropped",
		[]string{"ListenDrops"}, []string{"net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_syncookies"}, "sends the SYN again, and may give up with ETIMEDOUT", "syn-queue"},
	{1, "SYN", "the accept queue is full (backlog + 1 connections)", "the SYN is dropped",
		[]string{"ListenOverflows", "ListenDrops"}, []string{"net.core.somaxconn"}, "sends the SYN again, and may give up with ETIMEDOUT", "backlog"},
	{2, "ACK", "the accept queue is full", "the ACK is dropped, the entry stays, and the SYN-ACK is sent again",
		[]string{"ListenOverflows", "ListenDrops"}, []string{"net.ipv4.tcp_synack_retries"}, "is ESTABLISHED, and the server has no connection", "abort-on-overflow"},
	{2, "ACK", "the accept queue is full, and tcp_abort_on_overflow is 1", "RST, and the entry is gone",
		[]string{"ListenOverflows", "ListenDrops", "EmbryonicRsts"}, []string{"net.ipv4.tcp_abort_on_overflow"}, "reads ECONNRESET", "abort-on-overflow"},
}

// queuesTable says what each gate does when it is shut.
func queuesTable(*testing.T) string {
	var rows [][]string
	for _, g := range gates {
		rows = append(rows, []string{fmt.Sprintf("%d: %s", g.n, g.comes), g.finds, g.then, codes(g.counters), g.client, fmt.Sprintf("[%s](scenarios/%[1]s.md)", g.scenario)})
	}
	return markdown([]string{"gate", "when", "the kernel", "these counters rise", "the client", "see"}, rows)
}

func codes(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, code(name))
	}
	return strings.Join(list, ", ")
}

// What the gates name is there: counters of the kernel that --explain knows, and sysctls.
func TestTheGatesNameWhatIsThere(t *testing.T) {
	for _, g := range gates {
		for _, c := range g.counters {
			if !slices.Contains(explain.Counters(), c) && !counterOfKernel(t, c) {
				t.Errorf("%s is no counter", c)
			}
		}
		for _, s := range g.sysctls {
			if _, err := os.Stat(filepath.Join("/proc/sys", strings.ReplaceAll(s, ".", "/"))); err != nil {
				t.Error(err)
			}
		}
	}
}

func counterOfKernel(t *testing.T, name string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		t.Skip(err)
	}
	return slices.Contains(strings.Fields(string(text)), name)
}

func TestTheQueuesAreDrawn(t *testing.T) { isFile(t, "queues.svg", drawnQueues()) }

func drawnQueues() string {
	p := &pen{}
	p.text(14, 26, "h", "The two queues of a listener")
	arrow := func(x1, x2, y int, says string) {
		fmt.Fprintf(p, `<path class="arrow" d="M%d %dH%d"/><path class="head" transform="translate(%[3]d %[2]d)" d="M0 0l-10 -4.5v9z"/>`+"\n", x1, y, x2)
		p.text((x1+x2)/2-3, y-8, "mid", says)
	}
	queue := func(x int, class, name string, lines ...string) {
		fmt.Fprintf(p, `<rect class="%s" x="%d" y="64" width="164" height="86" rx="5"/>`+"\n", class, x)
		p.text(x+82, 86, "mid b", name)
		for i := range 6 {
			fmt.Fprintf(p, `<rect class="box" x="%d" y="98" width="20" height="36" rx="2"/>`+"\n", x+13+i*24)
		}
		for i, l := range lines {
			p.text(x+82, 172+i*19, "mid", l)
		}
	}
	door := func(x int, n string) {
		fmt.Fprintf(p, `<path class="badline" d="M%d 74v26m0 32v12" style="stroke-width:4"/><circle class="bad" cx="%[1]d" cy="62" r="11"/>`+"\n", x)
		fmt.Fprintf(p, `<text x="%d" y="67" class="mid b" style="fill:#fff">%s</text>`+"\n", x, n)
	}
	arrow(14, 84, 116, "SYN")
	door(90, "1")
	arrow(96, 150, 116, "")
	queue(156, "open", "SYN queue", "SYN-RECEIVED", "ss -tan state syn-recv")
	arrow(326, 396, 116, "ACK")
	door(402, "2")
	arrow(408, 462, 116, "")
	queue(468, "up", "accept queue", "ESTABLISHED, no fd yet", "ss -ltn: Recv-Q of Send-Q")
	arrow(638, 718, 116, "accept()")
	fmt.Fprintf(p, `<rect class="none" x="722" y="64" width="66" height="86" rx="5"/>`+"\n")
	p.text(755, 112, "mid", "appli-")
	p.text(755, 129, "mid", "cation")
	fmt.Fprintf(p, `<path class="rule" d="M14 214H786"/>`+"\n")
	say := func(x, y int, head string, lines ...string) {
		p.text(x, y, "b", head)
		for i, l := range lines {
			in := strings.TrimLeft(l, " ")
			p.text(x+8*(len(l)-len(in)), y+21+i*19, "", in)
		}
	}
	say(14, 240, "1: a SYN is kept out when",
		"• the SYN queue has backlog + 1 entries:", "  answered with a SYN cookie, no entry,", "  or with tcp_syncookies=0 dropped", "• the accept queue is full: dropped")
	say(414, 240, "2: the last ACK is kept out when",
		"• the accept queue has backlog + 1:", "  dropped; the entry stays, and the", "  SYN-ACK is sent again; or RST, with", "  tcp_abort_on_overflow=1")
	say(14, 350, "counted in", "TCPReqQFullDoCookies, TCPReqQFullDrop,", "ListenOverflows, ListenDrops")
	say(414, 350, "counted in", "ListenOverflows, ListenDrops,", "and EmbryonicRsts for the RST")
	p.text(14, 424, "p", "backlog is the smaller of listen()'s argument and net.core.somaxconn. It limits both queues.")
	return svgFile(800, 442, "The two queues of a listener", "A SYN passes gate 1 into the SYN queue, the handshake's last ACK passes gate 2 into the accept queue, accept() takes the connection out. "+
		"Backlog + 1 limits each queue.", p.String())
}
