package watch

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

func detailed(s tcpinfo.State, timer tcpinfo.TimerKind, more func(*Sample)) Sample {
	zero := tcpinfo.Shutdown(0)
	x := Sample{State: s, Source: TCPInfo, SynQueue: -1, Info: &tcpinfo.Info{State: s}}
	x.Diag = &tcpinfo.Socket{State: s, Timer: tcpinfo.Timer{Kind: timer, Expires: 40 * time.Millisecond}, Shutdown: &zero, Info: x.Info}
	if more != nil {
		more(&x)
	}
	return x
}

// TestJudge has no kernel in it: what is news, and what is not.
func TestJudge(t *testing.T) {
	t.Parallel()
	bare := func(s tcpinfo.State) Sample {
		return Sample{State: s, Source: TCPInfo, SynQueue: -1, Info: &tcpinfo.Info{State: s}}
	}
	listening := func(accept, limit uint32, syn int) Sample {
		return Sample{State: tcpinfo.Listen, AcceptQueue: accept, AcceptLimit: limit, SynQueue: syn}
	}
	// Half-open and time-wait entries have no more than this.
	entry := func(s tcpinfo.State, timer tcpinfo.TimerKind, retrans uint8) Sample {
		return Sample{State: s, Source: SockDiag, SynQueue: -1, Diag: &tcpinfo.Socket{State: s, Timer: tcpinfo.Timer{Kind: timer, Retrans: retrans}}}
	}
	for name, c := range map[string]struct {
		before, now Sample
		polled      bool
		want        Kind
	}{
		"nothing":              {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil)},
		"the state":            {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.CloseWait, tcpinfo.TimerNone, nil), want: StateChanged},
		"a write is under way": {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerOn, nil)},
		"an ACK is delayed":    {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerDelack, nil)},
		"sent in vain": {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerOn, func(s *Sample) {
			s.Info.Retransmits, s.Diag.Timer.Retrans = 1, 1
		}), want: TimerChanged | RetransChanged},
		"sent in vain again": {before: detailed(tcpinfo.Established, tcpinfo.TimerOn, func(s *Sample) { s.Info.Retransmits = 1 }),
			now: detailed(tcpinfo.Established, tcpinfo.TimerOn, func(s *Sample) { s.Info.Retransmits = 2 }), want: RetransChanged},
		"answered at last": {before: detailed(tcpinfo.Established, tcpinfo.TimerOn, func(s *Sample) { s.Info.Retransmits = 2 }),
			now: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), want: TimerChanged | RetransChanged},
		"the timer of a FIN":  {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.FinWait1, tcpinfo.TimerOn, nil), want: StateChanged | TimerChanged},
		"the timer of a SYN":  {before: bare(tcpinfo.Closed), now: detailed(tcpinfo.SynSent, tcpinfo.TimerOn, nil), want: StateChanged | TimerChanged},
		"the FIN is answered": {before: detailed(tcpinfo.FinWait1, tcpinfo.TimerOn, nil), now: detailed(tcpinfo.FinWait2, tcpinfo.TimerNone, nil), want: StateChanged | TimerChanged},
		"keepalive":           {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerKeepalive, nil), want: TimerChanged},
		"keepalive under on":  {before: detailed(tcpinfo.Established, tcpinfo.TimerKeepalive, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerOn, nil)},
		"keepalive probes": {before: detailed(tcpinfo.Established, tcpinfo.TimerKeepalive, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerKeepalive, func(s *Sample) {
			s.Info.Probes = 1
		}), want: RetransChanged},
		"persist":          {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerPersist, nil), want: TimerChanged},
		"persist is over":  {before: detailed(tcpinfo.Established, tcpinfo.TimerPersist, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerOn, nil), want: TimerChanged},
		"no details":       {before: detailed(tcpinfo.Established, tcpinfo.TimerKeepalive, nil), now: bare(tcpinfo.Established)},
		"orphaned":         {before: detailed(tcpinfo.FinWait2, tcpinfo.TimerNone, nil), now: entry(tcpinfo.FinWait2, tcpinfo.TimerTimeWait, 0), want: TimerChanged},
		"TIME-WAIT":        {before: entry(tcpinfo.FinWait2, tcpinfo.TimerTimeWait, 0), now: entry(tcpinfo.TimeWait, tcpinfo.TimerTimeWait, 0), want: StateChanged},
		"TIME-WAIT ticks":  {before: entry(tcpinfo.TimeWait, tcpinfo.TimerTimeWait, 0), now: entry(tcpinfo.TimeWait, tcpinfo.TimerTimeWait, 0)},
		"SYN-ACK again":    {before: entry(tcpinfo.SynReceived, tcpinfo.TimerOn, 0), now: entry(tcpinfo.SynReceived, tcpinfo.TimerOn, 1), want: RetransChanged},
		"handshake done":   {before: entry(tcpinfo.SynReceived, tcpinfo.TimerOn, 1), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), want: StateChanged | TimerChanged | RetransChanged},
		"gone":             {before: entry(tcpinfo.TimeWait, tcpinfo.TimerTimeWait, 0), now: Sample{State: tcpinfo.Closed, Gone: true, SynQueue: -1}, want: StateChanged | TimerChanged},
		"gone when CLOSED": {before: bare(tcpinfo.Closed), now: Sample{State: tcpinfo.Closed, Gone: true, SynQueue: -1}},
		"reset in mid-retransmission": {before: detailed(tcpinfo.Established, tcpinfo.TimerOn, func(s *Sample) { s.Info.Retransmits = 2 }),
			now: bare(tcpinfo.Closed), want: StateChanged | TimerChanged},
		"half-close": {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.FinWait2, tcpinfo.TimerNone, func(s *Sample) {
			two := tcpinfo.SendShutdown
			s.Diag.Shutdown = &two
		}), want: StateChanged | ShutdownChanged},
		"shut for reading": {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, func(s *Sample) {
			one := tcpinfo.RcvShutdown
			s.Diag.Shutdown = &one
		}), want: ShutdownChanged},
		"data arrives":          {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, func(s *Sample) { s.Diag.RecvQ = 5 }), want: RecvQChanged},
		"data arrives, polled":  {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, func(s *Sample) { s.Diag.RecvQ = 5 }), polled: true},
		"a FIN arrives, polled": {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.CloseWait, tcpinfo.TimerNone, func(s *Sample) { s.Diag.RecvQ = 1 }), polled: true, want: StateChanged | RecvQChanged},
		"data is sent":          {before: detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), now: detailed(tcpinfo.Established, tcpinfo.TimerNone, func(s *Sample) { s.Diag.SendQ = 5 })},
		"unread in TIME-WAIT":   {before: detailed(tcpinfo.FinWait2, tcpinfo.TimerNone, func(s *Sample) { s.Diag.RecvQ = 5 }), now: entry(tcpinfo.TimeWait, tcpinfo.TimerTimeWait, 0), want: StateChanged | TimerChanged},
		"one waits":             {before: listening(0, 2, 0), now: listening(1, 2, 0), want: QueueChanged},
		"another limit":         {before: listening(0, 2, 0), now: listening(0, 3, 0), want: QueueChanged},
		"half-open":             {before: listening(0, 2, 0), now: listening(0, 2, 1), want: QueueChanged},
		"SYN queue not asked":   {before: listening(0, 2, 1), now: listening(0, 2, -1)},
		"stopped listening":     {before: listening(1, 2, 0), now: bare(tcpinfo.Closed), want: StateChanged},
	} {
		before, _ := judge(known{}, c.before, true)
		after, got := judge(before, c.now, !c.polled)
		if got != c.want {
			t.Errorf("%s: %v is new, want %v", name, got, c.want)
		}
		if _, again := judge(after, c.now, !c.polled); again != 0 {
			t.Errorf("%s: %v is new when seen again", name, again)
		}
	}
}

// TestJudgePolledRecvQ: what a poll kept to itself, the next Look still finds new.
func TestJudgePolledRecvQ(t *testing.T) {
	t.Parallel()
	k, _ := judge(known{}, detailed(tcpinfo.Established, tcpinfo.TimerNone, nil), true)
	data := detailed(tcpinfo.Established, tcpinfo.TimerNone, func(s *Sample) { s.Diag.RecvQ = 5 })
	k, what := judge(k, data, false)
	if what != 0 {
		t.Errorf("polled: %v", what)
	}
	if _, what = judge(k, data, true); what != RecvQChanged {
		t.Errorf("looked: %v", what)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	s := Sample{Source: TCPInfo}
	for _, c := range []struct {
		what   Kind
		before known
		want   Source
	}{
		{StateChanged, known{}, TCPInfo},
		{StateChanged | ShutdownChanged, known{}, TCPInfo},
		{RetransChanged, known{}, TCPInfo},
		{TimerChanged | ShutdownChanged | RecvQChanged, known{}, SockDiag},
		{QueueChanged, known{acceptQueue: 1}, TCPInfo},
		{QueueChanged, known{synQueue: 1}, SockDiag},
	} {
		if got := sourceOf(s, c.what, c.before, known{}); got != c.want {
			t.Errorf("%v: %v", c.what, got)
		}
	}
}

// TestObserveBoth has no kernel in it: what is made of TCP_INFO's word and sock_diag's, a moment later.
func TestObserveBoth(t *testing.T) {
	t.Parallel()
	diag := func(s tcpinfo.State) Sample {
		x := detailed(s, tcpinfo.TimerNone, nil)
		x.Source = SockDiag
		return x
	}
	timeWait := Sample{State: tcpinfo.TimeWait, Source: SockDiag, SynQueue: -1, Diag: &tcpinfo.Socket{State: tcpinfo.TimeWait, Timer: tcpinfo.Timer{Kind: tcpinfo.TimerTimeWait}}}
	info := func(s tcpinfo.State) Sample {
		return Sample{State: s, Source: TCPInfo, SynQueue: -1, Info: &tcpinfo.Info{State: s}}
	}
	for name, c := range map[string]struct {
		before, info, diag Sample
		want               string
		disagree           bool
	}{
		"agree":                {before: info(tcpinfo.Established), info: info(tcpinfo.Established), diag: diag(tcpinfo.Established)},
		"both new":             {before: info(tcpinfo.Established), info: info(tcpinfo.CloseWait), diag: diag(tcpinfo.CloseWait), want: "ESTABLISHED>CLOSE-WAIT(tcp_info)[state]"},
		"moved in between":     {before: info(tcpinfo.Established), info: info(tcpinfo.FinWait1), diag: diag(tcpinfo.FinWait2), want: "ESTABLISHED>FIN-WAIT-1(tcp_info)[state] FIN-WAIT-1>FIN-WAIT-2(sock_diag)[state]"},
		"moved, late":          {before: info(tcpinfo.Established), info: info(tcpinfo.Established), diag: diag(tcpinfo.CloseWait), want: "ESTABLISHED>CLOSE-WAIT(sock_diag)[state]"},
		"CLOSED is TIME-WAIT":  {before: info(tcpinfo.FinWait2), info: info(tcpinfo.Closed), diag: timeWait, want: "FIN-WAIT-2>TIME-WAIT(sock_diag)[state,timer]"},
		"still TIME-WAIT":      {before: timeWait, info: info(tcpinfo.Closed), diag: timeWait},
		"entry before CLOSED":  {before: timeWait, info: info(tcpinfo.FinWait2), diag: timeWait},
		"into TIME-WAIT":       {before: info(tcpinfo.FinWait1), info: info(tcpinfo.FinWait2), diag: timeWait, want: "FIN-WAIT-1>FIN-WAIT-2(tcp_info)[state] FIN-WAIT-2>TIME-WAIT(sock_diag)[state,timer]"},
		"connected once more":  {before: info(tcpinfo.Established), info: info(tcpinfo.Closed), diag: diag(tcpinfo.SynSent), want: "ESTABLISHED>CLOSED(tcp_info)[state]", disagree: true},
		"reused out of it all": {before: timeWait, info: info(tcpinfo.SynSent), diag: diag(tcpinfo.SynSent), want: "TIME-WAIT>SYN-SENT(tcp_info)[state,timer]"},
	} {
		r := &recorder{t: t}
		w := New(nil, r.report)
		sk := w.add(1, name)
		w.observe(sk, c.before, look)
		if agreed := w.observeBoth(sk, c.info, c.diag, look); agreed == c.disagree {
			t.Errorf("%s: agreed is %v", name, agreed)
		}
		got := ""
		for _, change := range r.of(sk)[1:] {
			got += " " + change.String()
		}
		if got = strings.TrimSpace(got); got != c.want {
			t.Errorf("%s: reported %q, want %q", name, got, c.want)
		}
	}
}

// TestWatchQuiet watches a listener, two connections and a TIME-WAIT in which nothing happens.
func TestWatchQuiet(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p, p2 := newPair(t), newPair(t)
	p2.client.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	p2.client.write("unread")
	for name, s := range map[string]*fdSocket{"listener": p.listener, "client": p.client, "server": p.server, "client2": p2.client, "server2": p2.server} {
		follow(t, w, s, name)
	}
	w.FollowChildren(follow(t, w, p.listener, nil), "child")
	done := newPair(t)
	old := follow(t, w, done.client, "old")
	done.client.close()
	done.server.close()
	lookUntil(t, w, old, tcpinfo.TimeWait)
	p2.server.waitRecvQ(6)
	p2.client.waitUnacked(0)
	w.Sample()

	before := r.changes()
	for range 100 {
		w.Sample()
		w.pass(poll)
		w.pass(deepPoll)
	}
	if after := r.changes(); len(after) != len(before) {
		t.Errorf("nothing happened, and it was reported: %v", after[len(before):])
	}
}

// TestWatchTraffic: data that goes to and fro is no news to the poller, and RecvQ alone is to a Look.
func TestWatchTraffic(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	p.client.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	follow(t, w, p.client, "client")
	server := follow(t, w, p.server, "server")
	before := len(r.changes())
	for range 200 {
		p.client.write("ping")
		w.pass(poll)
		w.pass(deepPoll)
		p.server.read()
		p.server.write("pong")
		w.pass(poll)
		w.pass(deepPoll)
		p.client.read()
	}
	for _, c := range r.changes()[before:] {
		if c.What&RetransChanged == 0 { // on a starved machine a segment may have been sent twice
			t.Errorf("polled: %v", c)
		}
	}
	before = len(r.of(server))
	p.client.write("hello")
	p.server.waitRecvQ(5)
	w.Sample()
	p.server.read()
	w.Sample()
	got := r.of(server)[before:]
	if len(got) != 2 || got[0].String() != "ESTABLISHED>ESTABLISHED(sock_diag)[recv_q]" || got[0].Now.Diag.RecvQ != 5 || got[1].Now.Diag.RecvQ != 0 {
		t.Errorf("looked: %v", got)
	}
}

// TestWatchHeldByWindow holds FIN-WAIT-1, then CLOSING and LAST-ACK, behind a full window: the timer is persist.
func TestWatchHeldByWindow(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	run(t, w)
	p := newPair(t)
	client, server := follow(t, w, p.client, "client"), follow(t, w, p.server, "server")
	left := p.client.fill()
	persists := func() bool { d := client.Last().Diag; return d != nil && d.Timer.Kind == tcpinfo.TimerPersist }
	if err := w.WaitFor(patient(t), persists); err != nil {
		t.Fatalf("%v: %v", err, r.of(client))
	}
	p.client.shutdown(unix.SHUT_WR)
	if s, err := client.Wait(patient(t), tcpinfo.FinWait1); err != nil || s.Diag.Timer.Kind != tcpinfo.TimerPersist {
		t.Fatalf("%v, %+v", err, s)
	}
	p.server.shutdown(unix.SHUT_WR)
	if _, err := client.Wait(patient(t), tcpinfo.Closing); err != nil {
		t.Fatalf("%v: %v", err, r.of(client))
	}
	if _, err := server.Wait(patient(t), tcpinfo.FinWait2); err != nil {
		t.Fatalf("%v: %v", err, r.of(server))
	}
	for left > 0 {
		left -= len(p.server.read())
	}
	for _, sk := range []*Socket{client, server} {
		if _, err := sk.Wait(patient(t), tcpinfo.TimeWait); err != nil {
			t.Fatalf("%v: %v", err, r.of(sk))
		}
	}
	r.wantStates(client, "ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT")
	r.wantStates(server, "ESTABLISHED [FIN-WAIT-1] FIN-WAIT-2 TIME-WAIT")
	var persist bool
	for _, c := range r.of(client) {
		persist = persist || c.What == TimerChanged && c.Now.Source == SockDiag && c.Now.Diag.Timer.Kind == tcpinfo.TimerPersist
	}
	if !persist {
		t.Errorf("no change to persist alone: %v", r.of(client))
	}
}

// TestWatchKeepalive: turning keepalive on and off is news, once each.
func TestWatchKeepalive(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	for _, on := range []int{1, 0} {
		p.client.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
		w.Sample()
		w.Sample()
	}
	got := r.of(client)[1:]
	if len(got) != 2 || got[0].Now.Diag.Timer.Kind != tcpinfo.TimerKeepalive || got[1].Now.Diag.Timer.Kind != tcpinfo.TimerNone {
		t.Errorf("%v", got)
	}
}
