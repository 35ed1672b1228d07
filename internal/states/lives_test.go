package states

import (
	"net/netip"
	"slices"
	"time"
)

// ends are the addresses of a socket, as it has them. A listener's remote one is invalid.
type ends struct{ local, remote netip.AddrPort }

func (e ends) String() string {
	if !e.remote.IsValid() {
		return e.local.String()
	}
	return e.local.String() + " > " + e.remote.String()
}

// span is how long a socket was in a state, by the tracepoint.
type span struct {
	state    string
	from, to time.Duration
}

// life is a full socket's from when it left CLOSED, or was made by its listener, to CLOSED.
type life []span

func (l life) begins() time.Duration { return l[0].from }
func (l life) last() span            { return l[len(l)-1] }

const forever = time.Duration(1<<63 - 1)

// livesOf puts transitions together. Two things the tracepoint does not say: the local port in CLOSED to SYN-SENT, when
// connect() has yet to choose it, and the remote one in LISTEN to SYN-RECEIVED.
func livesOf(told []transition) map[ends][]life {
	all := map[ends][]life{}
	connecting := map[netip.AddrPort][]time.Duration{} // to where, since when
	slices.SortStableFunc(told, func(a, b transition) int { return int(a.at - b.at) })
	for _, tr := range told {
		key := ends{tr.local, tr.remote}
		switch {
		case tr.from == tr.to, tr.from == "LISTEN" && tr.to == "SYN-RECEIVED":
			continue
		case tr.from == "CLOSED" && tr.to == "SYN-SENT" && tr.local.Port() == 0:
			connecting[tr.remote] = append(connecting[tr.remote], tr.at)
			continue
		case tr.remote.Port() == 0:
			key.remote = netip.AddrPort{}
		}
		lives := all[key]
		if n := len(lives); n > 0 && lives[n-1].last().to == forever {
			l := lives[n-1]
			l[len(l)-1].to = tr.at
			if tr.to != "CLOSED" {
				lives[n-1] = append(l, span{tr.to, tr.at, forever})
			}
			continue
		}
		var l life
		if since := connecting[tr.remote]; tr.from == "SYN-SENT" && len(since) > 0 {
			l = life{{"SYN-SENT", since[0], tr.at}}
			connecting[tr.remote] = since[1:]
		} else if tr.from != "CLOSED" {
			l = life{{tr.from, tr.at, tr.at}} // made by a listener, just before
		}
		if tr.to != "CLOSED" {
			l = append(l, span{tr.to, tr.at, forever})
		}
		if l != nil {
			all[key] = append(lives, l)
		}
	}
	return all
}
