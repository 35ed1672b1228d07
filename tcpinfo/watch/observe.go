package watch

import (
	"slices"
	"time"

	"socklife/tcpinfo"
)

// observe takes in a full sample: it becomes the last one, and what is new in it is reported.
func (w *Watcher) observe(sk *Socket, s Sample, e effort) {
	if w.disturbed = w.disturbed || !w.still(); w.disturbed {
		sk.polled = pollKey{} // the next poll looks closer
		return
	}
	before := sk.known
	first := !sk.seen()
	if first && s.Gone {
		sk.known.gone = true // closed before it was ever seen: there is nothing to tell
		return
	}
	if first && w.sampleFormer(sk) {
		if w.disturbed = !w.still(); w.disturbed {
			return
		}
		s.Time = time.Now()
	}
	after, what := judge(before, s, e == look)
	if first {
		what |= StateChanged
	} else if what != 0 {
		s.Source = sourceOf(s, what, before, after)
	}
	sk.known = after
	c := Change{Socket: sk, From: before.state, First: first, To: s.State, Now: s, What: what}
	c.Before = sk.record(s)
	if what != 0 {
		w.report(c)
	}
	if what != 0 || s.Gone {
		w.news = true
	}
	sk.wake(s)
}

// record makes a sample the last one, and returns the one before.
func (sk *Socket) record(s Sample) (before Sample) {
	sk.w.mu.Lock()
	defer sk.w.mu.Unlock()
	before, sk.last = sk.last, s
	return before
}

// observeListener completes a listener's sample with its SYN queue, and takes in the children that came with it.
// Polling without a descriptor asks for the SYN queue only when the accept queue moved.
func (w *Watcher) observeListener(sk *Socket, s Sample, e effort) {
	moved := !sk.seen() || s.AcceptQueue != sk.known.acceptQueue || s.AcceptLimit != sk.known.acceptLimit
	if len(sk.fds) == 0 && e == poll && !moved {
		return
	}
	half, waiting, err := sk.atListener(e, s.AcceptQueue)
	if err != nil {
		w.fail(err)
	} else {
		s.SynQueue = len(half)
	}
	w.observe(sk, s, e)
	if sk.children && !w.disturbed {
		w.adopt(half, sk.childTag)
		w.adopt(waiting, sk.childTag)
	}
}

// atListener asks sock_diag for what came in through the listener and was not accepted.
func (sk *Socket) atListener(e effort, queue uint32) (half, waiting []tcpinfo.Socket, err error) {
	if e != deepPoll {
		if half, waiting, all := sk.ofClients(queue); all {
			return half, waiting, nil
		}
	}
	local := sk.Local()
	f := tcpinfo.Filter{Family: familyOf(local), States: tcpinfo.MaskOf(tcpinfo.SynReceived), LocalPort: local.Port()}
	if sk.children {
		f.States = tcpinfo.MaskOf(tcpinfo.SynReceived, tcpinfo.Established, tcpinfo.CloseWait)
	}
	list, err := sk.w.diag.Dump(f)
	if err != nil {
		return nil, nil, err
	}
	half, waiting = tcpinfo.Unaccepted(list, local, f.Family)
	sk.dumped, sk.strangers = time.Now(), slices.ContainsFunc(append(slices.Clone(half), waiting...), func(s tcpinfo.Socket) bool {
		return sk.w.clientOf(s.Local, s.Remote) == nil
	})
	return half, waiting, nil
}

func (w *Watcher) adopt(children []tcpinfo.Socket, tag any) {
	for _, s := range children {
		if w.followed(s) == nil {
			w.addFound(s, tag)
		}
	}
}

// sampleFormer samples the socket that had these addresses before, and may be in TIME-WAIT still, so that its end is
// reported before the new one's beginning. It tells whether there was any.
func (w *Watcher) sampleFormer(successor *Socket) (any bool) {
	local, remote := successor.Local(), successor.Remote()
	if remote.Port() == 0 {
		return false
	}
	for _, sk := range w.sockets {
		if sk != successor && sk.connected && sk.seen() && !sk.known.gone && sk.Local() == local && sk.Remote() == remote {
			w.sample(sk, poll)
			any = true
		}
	}
	return any
}

// finish ends whatever sampled: it forgets who is gone and wakes who waits for news.
func (w *Watcher) finish() {
	w.forget()
	if !w.news {
		return
	}
	w.news = false
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}
