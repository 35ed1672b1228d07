package observe

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"socklife/internal/capture"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// segments are those on this host's own interfaces: watched, not held.
type segments struct {
	log      *timeline.Log
	whose    whose
	absolute bool
	pcap     *Pcap // or nil
	capture  *capture.Capture
	passes   passes
	flows    segment.Flows
	lost     uint64 // the capture itself has lost so many
	told     uint64
	stop     func() error
}

// whose tells whose address the first is, if the connection between the two is one that is captured.
type whose interface {
	Of(local, remote netip.AddrPort) (side timeline.Side, ours bool)
}

// openSegments begins to watch.
func openSegments(log *timeline.Log, whose whose, absolute bool, pcap *Pcap) (*segments, error) {
	socket, err := capture.Open()
	if err != nil {
		return nil, err
	}
	s := &segments{log: log, whose: whose, absolute: absolute, pcap: pcap, capture: socket}
	s.stop = inBackground(log, "segments", func(ctx context.Context, until func(time.Time)) error {
		return socket.Run(ctx, s.packet, until)
	})
	return s, nil
}

// close ends the capture; what was seen until now is in the log then.
func (s *segments) close() error {
	if s == nil {
		return nil
	}
	err := s.stop()
	if closeErr := s.capture.Close(); err == nil {
		err = closeErr
	}
	return err
}

// packet puts a segment into the timeline. What is not a whole segment is not ours to show, nor is what others send to
// the same port elsewhere.
func (s *segments) packet(p capture.Packet) {
	if p.Lost > 0 {
		s.lost += uint64(p.Lost)
		if s.pcap != nil {
			s.pcap.Missing(p.Lost, p.At)
		}
		s.log.Add(timeline.Wire, p.At, &timeline.Note{Text: fmt.Sprintf("%d segments are missing here: they came faster than they could be read", p.Lost)})
	}
	decoded, err := segment.Decode(p.Data)
	if err != nil {
		return
	}
	from, ours := s.whose.Of(decoded.Src, decoded.Dst)
	if !ours || s.passes.again(decoded, p) {
		return
	}
	if s.pcap != nil {
		s.pcap.Captured(p, decoded, from)
	}
	seen := s.flows.Add(p.At, decoded)
	if s.lost > 0 { // it cannot be told from a segment that the network lost
		seen.Analysis &^= segment.LostSegment | segment.AckLostSegment
	}
	e := segmentEvent(seen, from, s.absolute)
	s.told++
	e.Header = hex.EncodeToString(segment.HeaderOf(p.Data))
	s.log.Add(timeline.Wire, p.At, e)
}
