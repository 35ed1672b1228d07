package stage

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/lab"
	"socklife/internal/observe"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// host is where sockets live: this machine, which both sides share, or one of the two that the wire joins. Each has
// sock_diag of its own.
type host struct {
	diag  *tcpinfo.Conn
	watch *watch.Watcher
	lab   *lab.Host // nil on this machine
}

// newHost opens what is needed to see the sockets of l's host; nil is this machine.
func (r *run) newHost(l *lab.Host) (*host, error) {
	h := &host{lab: l}
	err := h.do(func() (err error) {
		h.diag, err = tcpinfo.Dial()
		return err
	})
	if err != nil {
		return nil, err
	}
	h.watch = watch.New(h.diag, r.observed)
	h.watch.SetAround(observe.Around(r.log))
	return h, nil
}

// address is the host's on the wire.
func (h *host) address(family int) netip.Addr {
	if family == unix.AF_INET {
		return h.lab.IPv4
	}
	return h.lab.IPv6
}

// do runs f where what it opens belongs to the host.
func (h *host) do(f func() error) error {
	if h.lab == nil {
		return f()
	}
	return h.lab.Do(f)
}

// run runs f on a goroutine whose sockets belong to the host.
func (h *host) run(f func()) error {
	if h.lab == nil {
		go f()
		return nil
	}
	return h.lab.Go(f)
}

// openHosts has the sides share this machine, or each have a host on the wire.
func (r *run) openHosts() error {
	if r.cfg.Wire != nil {
		return r.openWire()
	}
	here, err := r.newHost(nil)
	r.clientHost, r.serverHost = here, here
	return err
}

func (r *run) closeHosts() error {
	for _, h := range r.hosts() {
		h.diag.Close()
	}
	if r.wire != nil {
		return r.wire.close()
	}
	return nil
}

// hosts are the different ones of a run.
func (r *run) hosts() []*host {
	if r.clientHost == r.serverHost {
		return []*host{r.clientHost}
	}
	return []*host{r.clientHost, r.serverHost}
}

// look samples every socket of the run.
func (r *run) look() {
	for _, h := range r.hosts() {
		h.watch.Sample()
	}
}

// poll samples again and again until ctx ends.
func (r *run) poll(ctx context.Context, wg *sync.WaitGroup) {
	for _, h := range r.hosts() {
		wg.Go(func() { h.watch.Run(ctx, time.Millisecond) })
	}
}
