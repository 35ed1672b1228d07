package watchlog

import (
	"maps"
	"slices"
	"strings"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Turns makes turns of a survey of events again.
type Turns struct {
	known map[int]*survey.Socket // by their numbers in the timeline
	now   survey.Turn
}

// Event takes the next event; a turn comes of one that ends it.
func (r *Turns) Event(e timeline.Event) *survey.Turn {
	switch b := e.Body.(type) {
	case *timeline.Watched:
		r.change(b)
	case *timeline.State:
		if b.To == tcpinfo.Closed {
			delete(r.known, b.Socket)
		}
	case *timeline.Look:
		t := r.now
		r.now = survey.Turn{}
		t.At, t.First = e.Time, b.Look == 1
		r.join(t.Changes)
		if t.First {
			t.Sockets = r.Sockets()
		}
		return &t
	}
	return nil
}

// Sockets are those that are there.
func (r *Turns) Sockets() (list []*survey.Socket) {
	for _, n := range slices.Sorted(maps.Keys(r.known)) {
		list = append(list, r.known[n])
	}
	return list
}

// change takes what is news of a socket.
func (r *Turns) change(b *timeline.Watched) {
	s := socket(b)
	c := survey.Change{Socket: s, What: b.What, From: b.From, Told: b.Told}
	if b.What == "there" {
		c.What = "new"
	}
	if was := r.known[b.Socket]; was != nil {
		c.Was = was.Finding
	}
	if r.known == nil {
		r.known = map[int]*survey.Socket{}
	}
	if r.known[b.Socket] = s; c.What == "gone" {
		delete(r.known, b.Socket)
	}
	r.now.Changes = append(r.now.Changes, c)
}

// join finds the other ends of what is news.
func (r *Turns) join(changes []survey.Change) {
	for _, c := range changes {
		if other := r.known[c.OtherNumber]; other != nil && c.What != "gone" {
			c.Other, other.Other = other.Facts, c.Facts
		}
	}
}

// socket is what an event tells of one.
func socket(b *timeline.Watched) *survey.Socket {
	f := &diagnose.Facts{For: ms(&b.ForMS), Exact: b.Exact, Queue: ms(b.UnacceptedMS), Owners: owners(b.Owners)}
	f.Local, f.Remote, f.State, f.Inode = b.Local, b.Remote, b.To, b.Inode
	f.Timer = timerOf(b.Timer, b.ExpiresMS, b.Retrans)
	if b.To == tcpinfo.Listen {
		f.RecvQ, f.SendQ, f.Half = value(b.AcceptQueue), value(b.AcceptLimit), value(b.SynQueue)
	} else {
		f.RecvQ, f.SendQ = value(b.RecvQ), value(b.SendQ)
		f.Info = info(b.To, b.SndWnd, b.RcvWnd, b.TotalRetrans)
	}
	s := &survey.Socket{Facts: f, Number: b.Socket, Server: b.Server, OtherNumber: b.OtherSocket}
	s.Finding = diagnose.Finding{Name: b.Finding, Grade: gradeOf(b.Grade), Says: b.Says, Detail: b.Detail, Who: b.Who}
	if shown := b.Shown; shown != nil {
		s.Finding.By, s.Finding.All = shown.By, shown.All
		s.Finding.Says = strings.TrimPrefix(strings.TrimPrefix(b.Says, shown.By), " ")
		f.Had = owners(shown.Had)
		if shown.Other != nil {
			f.Other = end(b, shown.Other)
		}
	}
	return s
}

// end is the socket at the other end, of which there may be no event.
func end(b *timeline.Watched, o *timeline.End) *diagnose.Facts {
	f := &diagnose.Facts{Owners: owners(b.OtherOwners), Had: owners(o.Had)}
	f.Local, f.Remote, f.State, f.RecvQ, f.SendQ = b.Remote, b.Local, b.Other, o.RecvQ, o.SendQ
	f.Timer = timerOf(o.Timer, o.ExpiresMS, o.Retrans)
	f.Info = info(b.Other, o.SndWnd, o.RcvWnd, o.TotalRetrans)
	return f
}

// whole is more than any TCP_INFO is long: what it is asked for it has.
const whole = 1 << 12

func info(state tcpinfo.State, snd, rcv, again *uint32) *tcpinfo.Info {
	if again == nil {
		return nil
	}
	i := &tcpinfo.Info{State: state, TotalRetrans: *again}
	if rcv != nil {
		i.Len, i.SndWnd, i.RcvWnd = whole, value(snd), *rcv
	}
	return i
}

func timerOf(kind string, expires *int64, retrans *int) (t tcpinfo.Timer) {
	for k := range tcpinfo.TimerKind(255) {
		if kind != "" && k.String() == kind {
			return tcpinfo.Timer{Kind: k, Expires: ms(expires), Retrans: uint8(value(retrans))}
		}
	}
	return t
}

func gradeOf(name string) diagnose.Grade {
	for _, g := range []diagnose.Grade{diagnose.Stuck, diagnose.Waiting} {
		if g.String() == name {
			return g
		}
	}
	return diagnose.Healthy
}

func ms(n *int64) time.Duration { return time.Duration(value(n)) * time.Millisecond }

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func owners(list []timeline.Holder) (out []owner.Holder) {
	for _, h := range list {
		out = append(out, owner.Holder(h))
	}
	return out
}
