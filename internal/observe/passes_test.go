package observe

import (
	"net/netip"
	"testing"
	"time"

	"socklife/internal/capture"
	"socklife/internal/segment"
)

// A segment that passes through two interfaces is one; where a connection has come to pass through another it goes on.
func TestASegmentOnTwoInterfaces(t *testing.T) {
	var ps passes
	at := time.Now()
	there := segment.Segment{Src: netip.MustParseAddrPort("10.9.0.1:7007"), Dst: netip.MustParseAddrPort("10.9.0.2:5000")}
	back := segment.Segment{Src: there.Dst, Dst: there.Src}
	for i, c := range []struct {
		s     segment.Segment
		on    int
		after time.Duration
		again bool
	}{
		{there, 2, 0, false}, {there, 3, 0, true}, // out: the bridge, then its port
		{back, 3, time.Millisecond, false}, {back, 2, time.Millisecond, true}, // in: the other way round
		{there, 2, 2 * time.Millisecond, false}, {there, 3, 2 * time.Millisecond, true},
		{there, 3, 2 * time.Second, false}, {there, 3, 2 * time.Second, false}, // its port is in no bridge any more
	} {
		if again := ps.again(c.s, capture.Packet{At: at.Add(c.after), Interface: c.on}); again != c.again {
			t.Errorf("%d: %v", i, again)
		}
	}
}
