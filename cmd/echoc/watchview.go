package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"socklife/internal/board"
	"socklife/internal/owner"
	"socklife/internal/survey"
	"socklife/internal/timeline"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// watchLines is for somebody to read: on a terminal the table stands still, and is drawn anew; elsewhere the table of
// the first look is followed by what is news.
type watchLines struct {
	o      board.Options
	live   bool
	drawn  int         // lines of the table that stand on the terminal
	recent []view.Line // the last changes, on a terminal
}

func (v *watchLines) turn(t *survey.Turn, at time.Duration) error {
	if !v.live && !t.First {
		return v.print(view.Lines(board.Changes(t, at), v.o.Options))
	}
	if !v.live {
		return v.print(board.Table(t, v.o))
	}
	o := v.o
	o.Width, o.Height = view.Width(os.Stdout), view.Height(os.Stdout)-1
	if o.Height < 1 {
		o.Height = 24
	}
	if !t.First {
		v.recent = append(v.recent, board.Changes(t, at)...)
		v.recent = v.recent[max(0, len(v.recent)-o.Height):]
	}
	lines := board.Table(t, o)
	var below []string
	for i := len(v.recent) - 1; i >= 0; i-- { // the last ones, as far as there is room
		own := view.Lines(v.recent[i:i+1], o.Options)
		if len(lines)+1+len(own)+len(below) > o.Height {
			break
		}
		below = append(own, below...)
	}
	if len(below) > 0 {
		lines = append(append(lines, ""), below...)
	}
	up := ""
	if v.drawn > 0 {
		up = fmt.Sprintf("\x1b[%dA\r\x1b[J", v.drawn)
	}
	v.drawn = len(lines)
	_, err := os.Stdout.WriteString(up + strings.Join(lines, "\n") + "\n")
	return err
}

// say keeps it in the table's head, where there is one that is drawn anew.
func (v *watchLines) say(text string) error {
	if v.o.Note = text; v.live {
		return nil
	}
	return v.print(view.Lines([]view.Line{board.Note(text)}, v.o.Options))
}

func (v *watchLines) print(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := os.Stdout.WriteString(strings.Join(lines, "\n") + "\n")
	return err
}

func (v *watchLines) end(s *board.Seen, once bool) error {
	if once {
		return nil
	}
	return v.print(append([]string{""}, view.Lines(s.Summary(), v.o.Options)...))
}

// watchEvents is for programs.
type watchEvents struct {
	log *timeline.Log
	v   view.View
}

func (v *watchEvents) turn(t *survey.Turn, _ time.Duration) error {
	for _, c := range t.Changes {
		v.log.Add(timeline.Host, t.At, watched(c, t.First))
	}
	v.log.Flush()
	return v.v.Err()
}

func (v *watchEvents) say(text string) error {
	v.log.Add(timeline.Host, time.Now(), &timeline.Note{Text: text})
	v.log.Flush()
	return v.v.Err()
}

func (v *watchEvents) end(s *board.Seen, _ bool) error {
	c := s.Last
	v.log.Add(timeline.Host, time.Now(), &timeline.Tally{Looks: s.Looks, Sockets: c.Sockets, Stuck: c.Stuck, Waiting: c.Waiting, Healthy: c.Healthy,
		States: c.States, Came: s.Came, Went: s.Went})
	v.log.Close()
	return v.v.Err()
}

// watched is a change as an event.
func watched(c survey.Change, first bool) *timeline.Watched {
	b := &timeline.Watched{
		Socket: c.Number, What: c.What, Local: c.Local, Remote: c.Remote, From: c.From, To: c.State, ForMS: c.For.Milliseconds(), Exact: c.Exact,
		Inode: c.Inode, Owners: holders(c.Owners),
		Grade: c.Finding.Grade.String(), Finding: c.Finding.Name, Says: c.Finding.Sentence(), Detail: c.Finding.Detail, Who: c.Finding.Who,
	}
	if first {
		b.What = "there"
	}
	if c.State == tcpinfo.Listen {
		b.AcceptQueue, b.AcceptLimit, b.SynQueue = &c.RecvQ, &c.SendQ, &c.Half
	} else {
		b.RecvQ, b.SendQ = &c.RecvQ, &c.SendQ
	}
	if i := c.Info; i != nil && c.State != tcpinfo.Listen {
		b.RTTUS, b.TotalRetrans = new(i.RTT.Microseconds()), &i.TotalRetrans
		if i.Has("rcv_wnd") { // which came later
			b.SndWnd, b.RcvWnd = &i.SndWnd, &i.RcvWnd
		}
	}
	if c.Unaccepted() {
		b.UnacceptedMS = new(c.Queue.Milliseconds())
	}
	if c.Remote.Port() == 0 {
		b.Remote = netip.AddrPort{}
	}
	if t := c.Timer; t.Kind != tcpinfo.TimerNone {
		b.Timer, b.ExpiresMS, b.Retrans = t.Kind.String(), new(t.Expires.Milliseconds()), new(int(t.Retrans))
	}
	if c.Shutdown != nil {
		b.Shutdown, b.UID = c.Shutdown.Names(), &c.UID
	}
	if c.Other != nil {
		b.Other, b.OtherOwners = c.Other.State, holders(c.Other.Owners)
	}
	return b
}

func holders(list []owner.Holder) (out []timeline.Holder) {
	for _, h := range list {
		out = append(out, timeline.Holder(h))
	}
	return out
}
