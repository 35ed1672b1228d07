// Package watchlog makes events of what a survey has found, and of these events what was shown of it: at once, or when
// they were kept in a file.
package watchlog

import (
	"net/netip"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Writer puts the turns of a survey into a timeline.
type Writer struct {
	Log   *timeline.Log
	Shown bool // with what a view shows besides
	looks int
	came  int
	went  int
	last  survey.Tally
	by    map[*diagnose.Facts]*survey.Socket
}

// Turn takes one. A look that has found nothing new leaves no event, unless it is the first.
func (w *Writer) Turn(t *survey.Turn) {
	w.looks++
	if t.Same {
		return
	}
	w.last = t.Tally()
	if w.Shown || len(t.Changes) > 0 {
		w.by = make(map[*diagnose.Facts]*survey.Socket, len(t.Sockets))
		for _, s := range t.Sockets {
			w.by[s.Facts] = s
		}
	}
	for _, c := range t.Changes {
		switch {
		case c.What == "gone":
			w.went++
		case !t.First:
			w.came += btoi(c.What == "new")
		}
		w.Log.Add(timeline.Host, t.At, w.watched(t, c))
	}
	if t.First || len(t.Changes) > 0 {
		l := w.last
		w.Log.Add(timeline.Host, t.At, &timeline.Look{Look: w.looks, Sockets: l.Sockets, Stuck: l.Stuck, Waiting: l.Waiting, Healthy: l.Healthy, States: l.States})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// End ends the timeline with what it came to; every is from one look to the next, 0 if there was to be but one. Stuck
// is how many sockets are, in the end.
func (w *Writer) End(every time.Duration, more timeline.Tally) (stuck int) {
	more.Looks, more.Came, more.Went, more.EveryUS = w.looks, w.came, w.went, every.Microseconds()
	more.Sockets, more.Stuck, more.Waiting, more.Healthy, more.States = w.last.Sockets, w.last.Stuck, w.last.Waiting, w.last.Healthy, w.last.States
	w.Log.Add(timeline.Host, time.Time{}, &more)
	return more.Stuck
}

// watched is a change as an event.
func (w *Writer) watched(t *survey.Turn, c survey.Change) *timeline.Watched {
	b := &timeline.Watched{
		Socket: w.number(t, c.Socket, c.What == "gone"), What: c.What, Local: c.Local, Remote: c.Remote, From: c.From, To: c.State,
		ForMS: c.For.Milliseconds(), Exact: c.Exact,
		Inode: c.Inode, Owners: holders(c.Owners), Server: c.Server,
		Grade: c.Finding.Grade.String(), Finding: c.Finding.Name, Says: c.Finding.Sentence(), Detail: c.Finding.Detail, Who: c.Finding.Who,
	}
	if t.First {
		b.What = "there"
	}
	if c.State == tcpinfo.Listen {
		b.AcceptQueue, b.AcceptLimit, b.SynQueue = &c.RecvQ, &c.SendQ, &c.Half
	} else {
		b.RecvQ, b.SendQ = &c.RecvQ, &c.SendQ
		if i := c.Info; i != nil {
			b.RTTUS = new(i.RTT.Microseconds())
		}
		b.SndWnd, b.RcvWnd, b.TotalRetrans = windows(c.Facts)
	}
	if c.Unaccepted() {
		b.UnacceptedMS = new(c.Queue.Milliseconds())
	}
	if c.Remote.Port() == 0 {
		b.Remote = netip.AddrPort{}
	}
	b.Timer, b.ExpiresMS, b.Retrans = timer(c.Facts)
	if c.Shutdown != nil {
		b.Shutdown, b.UID = c.Shutdown.Names(), &c.UID
	}
	if c.Other != nil {
		b.Other, b.OtherOwners = c.Other.State, holders(c.Other.Owners)
		if other := w.by[c.Other]; other != nil {
			b.OtherSocket = w.number(t, other, false)
		}
	}
	if w.Shown {
		b.Shown = shown(c)
	}
	return b
}

// number is a socket's in the timeline, where others may have told of it before.
func (w *Writer) number(t *survey.Turn, s *survey.Socket, gone bool) int {
	ends := timeline.Ends{Local: s.Local, Remote: s.Remote}
	if s.Remote.Port() == 0 {
		ends.Remote = netip.AddrPort{}
	}
	return w.Log.Sockets.Follow(t.At, s.Cookie, s.Cookie, timeline.Host, ends, s.State, gone)
}

// shown is what a view shows besides.
func shown(c survey.Change) *timeline.Shown {
	s := &timeline.Shown{By: c.Finding.By, All: c.Finding.All, Had: had(c.Facts)}
	if o := c.Other; o != nil {
		s.Other = &timeline.End{RecvQ: o.RecvQ, SendQ: o.SendQ, Had: had(o)}
		s.Other.Timer, s.Other.ExpiresMS, s.Other.Retrans = timer(o)
		s.Other.SndWnd, s.Other.RcvWnd, s.Other.TotalRetrans = windows(o)
	}
	return s
}

// had are the owners that a socket had, if it has none.
func had(f *diagnose.Facts) []timeline.Holder {
	if len(f.Owners) > 0 {
		return nil
	}
	return holders(f.Had)
}

func timer(f *diagnose.Facts) (kind string, expires *int64, retrans *int) {
	if t := f.Timer; t.Kind != tcpinfo.TimerNone {
		return t.Kind.String(), new(t.Expires.Milliseconds()), new(int(t.Retrans))
	}
	return "", nil, nil
}

// windows are of TCP_INFO, which has them since Linux 6.2, and has always had how much was sent again.
func windows(f *diagnose.Facts) (snd, rcv, again *uint32) {
	if f.Info == nil {
		return nil, nil, nil
	}
	if f.Info.Has("rcv_wnd") {
		snd, rcv = &f.Info.SndWnd, &f.Info.RcvWnd
	}
	return snd, rcv, &f.Info.TotalRetrans
}

func holders(list []owner.Holder) (out []timeline.Holder) {
	for _, h := range list {
		out = append(out, timeline.Holder(h))
	}
	return out
}
