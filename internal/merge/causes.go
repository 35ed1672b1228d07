package merge

import (
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// need is a cause on one side and its effect on the other: the effect is later, by whatever clock.
type need struct{ cause, effect *item }

// jitter is how far two times of one clock may be in the wrong order: who looks at it may be slow to.
const jitter = time.Millisecond

// plausible leaves those that one clock does not gainsay.
func plausible(needs []need) []need {
	return slices.DeleteFunc(needs, func(n need) bool { return n.cause.Time.Sub(n.effect.Time) > jitter })
}

// causes are all that the two records show.
func causes(client, server *lane) (needs []need) {
	for _, p := range pairs(client, server) {
		needs = append(needs, connects(p[0], p[1])...)
		needs = append(needs, connects(p[1], p[0])...)
		needs = append(needs, carries(p[0], p[1])...)
		needs = append(needs, carries(p[1], p[0])...)
		needs = append(needs, finishes(p[0], p[1])...)
		needs = append(needs, finishes(p[1], p[0])...)
	}
	needs = append(needs, waits(client, server)...)
	needs = append(needs, passes(client, server)...)
	return append(needs, passes(server, client)...)
}

// pairs are the two ends of each connection: the first socket with these addresses and the first with the same at the
// other side, the second and the second. Where one side has more of them it is not known which is whose.
func pairs(client, server *lane) (list [][2]*socket) {
	mine, theirs := client.byEnds(), server.byEnds()
	for _, s := range client.order {
		if len(s.ends) != 1 {
			continue
		}
		here, there := mine[s.ends[0]], theirs[s.ends[0].Other()]
		if len(here) == len(there) {
			list = append(list, [2]*socket{s, there[slices.Index(here, s)]})
		}
	}
	return list
}

func (l *lane) byEnds() map[timeline.Ends][]*socket {
	m := map[timeline.Ends][]*socket{}
	for _, s := range l.order {
		for _, ends := range s.ends {
			m[ends] = append(m[ends], s)
		}
	}
	return m
}

// connects: connect() is entered before the other side knows of the connection.
func connects(from, to *socket) (needs []need) {
	i := slices.IndexFunc(from.calls, func(it *item) bool { return it.call("connect") != nil })
	if i < 0 || slices.ContainsFunc(to.calls, func(it *item) bool { return it.call("connect") != nil }) {
		return nil // both may have sent a SYN
	}
	cause := from.calls[i].enter
	if to.accepted != nil {
		needs = append(needs, need{cause, to.accepted})
	}
	for _, it := range to.states {
		if b := it.Body.(*timeline.State); b.Remote.IsValid() {
			return append(needs, need{cause, it})
		}
	}
	return needs
}

// carries: bytes are written before they are read. An urgent byte is written as one of the stream, and may be read
// beside it: who has read so many of the stream has what was written up to there, or further.
func carries(from, to *socket) (needs []need) {
	type upTo struct {
		bytes int
		enter *item
	}
	var written []upTo
	sum := 0
	for _, it := range from.calls {
		if b := it.call("write", "sendto"); b != nil && b.Ret > 0 {
			sum += b.Ret
			written = append(written, upTo{sum, it.enter})
		}
	}
	read := 0
	for _, it := range to.calls {
		b := it.call("read", "recvfrom")
		if b == nil || b.Ret <= 0 || b.Arguments().BesideStream() {
			continue
		}
		read += b.Ret
		if i := slices.IndexFunc(written, func(w upTo) bool { return w.bytes >= read }); i >= 0 {
			needs = append(needs, need{written[i].enter, it})
		}
	}
	return needs
}

// finishes: who sends a FIN has begun to close before the other side hears of it.
func finishes(from, to *socket) (needs []need) {
	var cause *item
	for _, it := range from.calls {
		if b, ok := it.Body.(*timeline.Call); ok && b.Arguments().EndsSending() {
			cause = it.enter
			break
		}
	}
	if cause == nil {
		return nil
	}
	deaf := false // it has ended its own reading, or was told of an abort: the end of the stream is no FIN's doing
	for _, it := range to.calls {
		if b, ok := it.Body.(*timeline.Call); ok && (timeline.TellsOfAbort(b.Errno) || b.Arguments().EndsReading()) {
			deaf = true
		}
		if b := it.call("read", "recvfrom"); b != nil && b.Ret == 0 && b.Arguments().Len() > 0 && !deaf {
			needs = append(needs, need{cause, it})
		}
	}
	for _, it := range to.states {
		switch b := it.Body.(*timeline.State); b.To {
		case tcpinfo.CloseWait, tcpinfo.LastAck, tcpinfo.Closing, tcpinfo.TimeWait:
			if b.From != b.To {
				needs = append(needs, need{cause, it})
			}
		}
	}
	return needs
}

// waits: what is in the server's accept queue has been connected.
func waits(client, server *lane) (needs []need) {
	var connects []*item
	for _, it := range client.items {
		if it.call("connect") != nil {
			connects = append(connects, it.enter)
		}
	}
	accepted := 0
	for _, it := range server.items {
		if b := it.call("accept4"); b != nil && b.Errno == "" {
			accepted++
		}
		b, ok := it.Body.(*timeline.Queue)
		if n := accepted; ok && b.AcceptQueue > 0 {
			if n += int(b.AcceptQueue); n <= len(connects) {
				needs = append(needs, need{connects[n-1], it})
			}
		}
	}
	return needs
}

// passes: a segment that both have seen left its sender before it came.
func passes(from, to *lane) (needs []need) {
	left, came := segments(from, from.side), segments(to, from.side)
	for key, sent := range left {
		if here := came[key]; len(here) == len(sent) {
			for i := range sent {
				needs = append(needs, need{sent[i], here[i]})
			}
		}
	}
	return needs
}

// segments are those that a lane has of a sender, by what is the same of them everywhere: the header, but for the
// checksum, which a network card may fill in.
func segments(l *lane, from timeline.Side) map[string][]*item {
	const checksum, after = 2 * 16, 2 * 18 // in hexadecimal
	m := map[string][]*item{}
	for _, it := range l.items {
		b, ok := it.Body.(*timeline.Segment)
		if !ok || b.From != from || len(b.Header) < after {
			continue
		}
		key := tcpinfo.Canonical(b.Src).String() + tcpinfo.Canonical(b.Dst).String() + b.Header[:checksum] + b.Header[after:]
		m[key] = append(m[key], it)
	}
	return m
}
