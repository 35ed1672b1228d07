package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tcpdumpLine = regexp.MustCompile(`\.(\d+) > [\d.]+\.(\d+): Flags \[([A-Z.]+)\](?:, seq (\d+)(?::\d+)?)?(?:, ack (\d+))?, win \d+.*, length (\d+)`)
	tsharkLine  = regexp.MustCompile(`TCP \d+ (\d+) → (\d+) \[([A-Z, ]+)\] Seq=(\d+)(?: Ack=(\d+))? Win=\d+ Len=(\d+)`)
	tcpdumpFlag = map[string]string{"S": "SYN", "F": "FIN", "P": "PSH", "R": "RST", "U": "URG", ".": "ACK"}
)

// parseDump reads what tcpdump and tshark write of segments: who sent each, its flags and relative numbers. A SYN's are
// absolute with tcpdump.
func parseDump(text string) *transcript {
	tr := newTranscript()
	for line := range strings.Lines(text) {
		var flags []string
		m := tcpdumpLine.FindStringSubmatch(line)
		if m != nil {
			for _, f := range m[3] {
				flags = append(flags, tcpdumpFlag[string(f)])
			}
		} else if m = tsharkLine.FindStringSubmatch(line); m != nil {
			flags = strings.Split(m[3], ", ")
		} else {
			continue
		}
		slices.Sort(flags)
		seq, ack := m[4], m[5]
		if slices.Contains(flags, "SYN") {
			seq, ack = "", ""
		}
		if len(flags) == 1 && m[6] == "0" { // tcpdump has no seq where it stands in the ack before it
			seq = ""
		}
		side := "server"
		if m[2] == "7007" {
			side = "client"
		}
		tr.segments[side] = append(tr.segments[side], fmt.Sprintf("%s seq=%s ack=%s len=%s", strings.Join(flags, " "), seq, ack, m[6]))
	}
	return tr
}

// Both say the same of the same segments.
func TestDumpsAreRead(t *testing.T) {
	tcpdump := parseDump(`reading from file close.pcapng, link-type RAW (Raw IP), snapshot length 262144
22:44:52.279545 IP 198.51.100.1.42462 > 198.51.100.2.7007: Flags [S], seq 3707766945, win 64240, options [mss 1460,sackOK,TS val 2862404558 ecr 0,nop,wscale 10], length 0
22:44:52.280054 IP 198.51.100.2.7007 > 198.51.100.1.42462: Flags [S.], seq 906370097, ack 3707766946, win 65160, options [mss 1460], length 0
22:44:52.280162 IP 198.51.100.1.42462 > 198.51.100.2.7007: Flags [.], ack 1, win 63, options [nop,nop,TS val 2862404559 ecr 739324540], length 0
22:44:52.281013 IP 198.51.100.1.42462 > 198.51.100.2.7007: Flags [P.], seq 1:15, ack 1, win 63, options [nop,nop,TS val 2862404560 ecr 739324540], length 14
22:44:52.281656 IP 198.51.100.1.42462 > 198.51.100.2.7007: Flags [F.], seq 15, ack 1, win 63, options [nop,nop,TS val 2862404560 ecr 739324541], length 0
`)
	tshark := parseDump(`    1 0.000000000 198.51.100.1 → 198.51.100.2 TCP 60 42462 → 7007 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=2862404558 TSecr=0 WS=1024
    2 0.000509616 198.51.100.2 → 198.51.100.1 TCP 60 7007 → 42462 [SYN, ACK] Seq=0 Ack=1 Win=65160 Len=0 MSS=1460 SACK_PERM TSval=739324540 TSecr=2862404558 WS=1024
    3 0.000617822 198.51.100.1 → 198.51.100.2 TCP 52 42462 → 7007 [ACK] Seq=1 Ack=1 Win=64512 Len=0 TSval=2862404559 TSecr=739324540
    4 0.001467970 198.51.100.1 → 198.51.100.2 TCP 66 42462 → 7007 [PSH, ACK] Seq=1 Ack=1 Win=64512 Len=14 TSval=2862404560 TSecr=739324540
    6 0.002111055 198.51.100.1 → 198.51.100.2 TCP 52 42462 → 7007 [FIN, ACK] Seq=15 Ack=1 Win=64512 Len=0 TSval=2862404560 TSecr=739324541
`)
	if d := tcpdump.difference(tshark); d != "" || len(tcpdump.segments["client"]) != 4 || len(tcpdump.segments["server"]) != 1 {
		t.Errorf("%s: %q and %q", d, tcpdump.segments, tshark.segments)
	}
	if got := tcpdump.segments["client"][3]; got != "ACK FIN seq=15 ack=1 len=0" {
		t.Error(got)
	}
}
