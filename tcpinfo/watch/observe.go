package tcpinfo

import "time"

// observe takes in a full sample: it becomes the last one, and what is new in it is reported.
func (w *Watcher) observe(wt *Watch, s Sample, e effort) {
	before := wt.known
	first := !wt.seen
	if first && s.Gone {
		wt.known.gone = true // closed before it was ever seen: there is nothing to tell
		return
	}
	if first && w.bury(wt) {
		s.Time = time.Now()
	}
	after, what := judge(before, s, e == look)
	if first {
		what |= StateChanged
	} else if what != 0 {
		s.Source = sourceOf(s, what, before, after)
	}
	wt.seen, wt.known = true, after
	c := Change{Watch: wt, From: before.state, First: first, To: s.State, Now: s, What: what}
	var woken []*waiter
	c.Before, woken = wt.record(s)
	if what != 0 {
		w.report(c)
	}
	if what != 0 || s.Gone {
		w.news = true
	}
	for _, r := range woken {
		r.wake(s)
	}
}

// record makes a sample the last one. It returns the one before, and whoever waited for this one.
func (wt *Watch) record(s Sample) (before Sample, woken []*waiter) {
	wt.w.mu.Lock()
	defer wt.w.mu.Unlock()
	before, wt.last = wt.last, s
	kept := wt.waiters[:0]
	for _, r := range wt.waiters {
		if r.states.Has(s.State) || s.Gone {
			woken = append(woken, r)
		} else {
			kept = append(kept, r)
		}
	}
	wt.waiters = kept
	return before, woken
}

// observeListener completes a listener's sample with its SYN queue, and takes in the children that came with it. Polling
// without a descriptor asks for the SYN queue only when the accept queue moved.
func (w *Watcher) observeListener(wt *Watch, s Sample, e effort) {
	moved := !wt.seen || s.AcceptQueue != wt.known.acceptQueue || s.AcceptLimit != wt.known.acceptLimit
	if len(wt.fds) == 0 && e == poll && !moved {
		return
	}
	half, waiting, err := wt.atListener()
	if err != nil {
		w.fail(err)
	} else {
		s.SynQueue = len(half)
	}
	w.observe(wt, s, e)
	if wt.children != nil {
		w.adopt(half, wt.children.tag)
		w.adopt(waiting, wt.children.tag)
	}
}

// atListener asks sock_diag for what came in through the listener and was not accepted.
func (wt *Watch) atListener() (half, waiting []Socket, err error) {
	local := wt.Local()
	f := Filter{Family: familyOfAddr(local), States: MaskOf(SynReceived), LocalPort: local.Port()}
	if wt.children != nil {
		f.States = MaskOf(SynReceived, Established, CloseWait)
	}
	list, err := wt.w.diag.Dump(f)
	if err != nil {
		return nil, nil, err
	}
	half, waiting = atListener(list, local, f.Family)
	return half, waiting, nil
}

func (w *Watcher) adopt(children []Socket, tag any) {
	for _, s := range children {
		if w.byCookie[s.Cookie] == nil {
			w.addFound(s, tag)
		}
	}
}

// bury samples whoever had the addresses before, which may be in TIME-WAIT still: the end of an old connection comes before the beginning of
// the new one. It tells whether there was any.
func (w *Watcher) bury(heir *Watch) (any bool) {
	local, remote := heir.Local(), heir.Remote()
	if remote.Port() == 0 {
		return false
	}
	for _, wt := range w.watches {
		if wt != heir && wt.connected && wt.seen && !wt.known.gone && wt.Local() == local && wt.Remote() == remote {
			w.sample(wt, poll)
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
