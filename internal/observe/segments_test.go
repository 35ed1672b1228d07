package observe

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// A window is in octets only where its scale is known, which is in the SYNs: where they were not seen, the number says
// so.
func TestAWindowOfUnknownScaleIsMarked(t *testing.T) {
	s := segment.Segment{
		Src: netip.MustParseAddrPort("127.0.0.1:40000"), Dst: netip.MustParseAddrPort("127.0.0.1:7007"),
		Seq: 1000, Ack: 2000, Flags: segment.ACK, Window: 512,
	}
	for _, c := range []struct {
		syns       bool
		text, json string
	}{
		{false, "win=512*?", `"win":512,"win_unscaled":true`},
		{true, "win=512", `"win":512`},
	} {
		var flows segment.Flows
		if c.syns {
			flows.Add(time.Time{}, segment.Segment{Src: s.Src, Dst: s.Dst, Seq: 999, Flags: segment.SYN})
			flows.Add(time.Time{}, segment.Segment{Src: s.Dst, Dst: s.Src, Seq: 1999, Ack: 1000, Flags: segment.SYN | segment.ACK})
		}
		e := segmentEvent(flows.Add(time.Time{}, s), timeline.Client, true)
		b, err := json.Marshal(e)
		if err != nil || e.Line() != "ACK seq=1000 ack=2000 "+c.text || !strings.Contains(string(b), c.json+`,"sender":`) {
			t.Errorf("SYNs seen: %v: %q, %s, %v", c.syns, e.Line(), b, err)
		}
	}
}
