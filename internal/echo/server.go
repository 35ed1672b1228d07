package echo

import (
	"context"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// Server is an echo server. NewServer opens its listener, Serve runs it, once.
type Server struct {
	cfg      Config
	listener *sockapi.Socket
	addr     netip.AddrPort
	poller   *poller
}

// NewServer makes the calls that end in a listening socket: socket(2), setsockopt(2) as Config asks, bind(2),
// listen(2), getsockname(2). The handshakes of clients succeed from here on; their data waits in the kernel until
// Serve. Errors are those of the calls (errors.Is(err, unix.EADDRINUSE), EACCES, EADDRNOTAVAIL, …) or ListenerOptions'.
func NewServer(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg.withDefaults()}
	var err error
	brief := briefly
	if cfg.Tracer != nil { // who follows it has the processor, where there is but one, as soon as nothing is to do
		brief = 0
	}
	if s.poller, err = newPoller(brief); err != nil {
		return nil, err
	}
	if s.listener, s.addr, err = listen(&s.cfg); err != nil {
		s.poller.close()
		return nil, err
	}
	return s, nil
}

// listen opens the listener, and closes it again if a step fails.
func listen(cfg *Config) (_ *sockapi.Socket, local netip.AddrPort, err error) {
	if !cfg.Addr.IsValid() {
		// As a sockaddr this is AF_UNSPEC, which bind(2) takes for every address of this host.
		return nil, local, errors.New("no address to listen on")
	}
	s, err := sockapi.NewSocket(domain(cfg.Addr), unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, cfg.Tracer)
	if err != nil {
		return nil, local, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if !cfg.NoReuseAddr {
		if err = sockapi.SO_REUSEADDR.Set(s, true); err != nil {
			return nil, local, err
		}
	}
	// An echo waits for nothing that could be sent with it. Nagle's algorithm would hold back the last segment of each
	// write until the one before is acknowledged, which a client delays by 40 ms. Connections inherit this.
	if err = sockapi.TCP_NODELAY.Set(s, true); err != nil {
		return nil, local, err
	}
	if cfg.ListenerOptions != nil {
		if err = cfg.ListenerOptions(s); err != nil {
			return nil, local, err
		}
	}
	if err = s.Bind(cfg.Addr); err != nil {
		return nil, local, err
	}
	if cfg.Bound != nil {
		if err = cfg.Bound(s); err != nil {
			return nil, local, err
		}
	}
	if err = s.Listen(*cfg.Backlog); err != nil {
		return nil, local, err
	}
	local, err = s.Getsockname()
	return s, local, err
}

func domain(addr netip.AddrPort) int {
	if addr.Addr().Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// Addr is where the server listens, with the port that the kernel chose if Config.Addr had none.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Listener is the listening socket, to be looked at (its Control; tcpinfo's accept queue). Its owner is the Server.
func (s *Server) Listener() *sockapi.Socket { return s.listener }

// Serve serves until ctx ends, then drains: it accepts the connections that are already in the accept queue, closes the
// listener, goes on echoing what clients have in flight, and closes each connection as it comes to rest: nothing
// received that is not echoed, and no byte moved for 250 ms. An idle one is closed at once. Those that have something
// left to echo after Config.DrainTimeout, because the client does not read or never stops sending, are cut. Then it
// returns with a nil error.
//
// An error means that the loop itself cannot go on; everything is closed then too. What befalls single connections, and
// want of descriptors or memory, is counted in the Report and is no error.
func (s *Server) Serve(ctx context.Context) (Report, error) {
	defer s.poller.close()
	stop := context.AfterFunc(ctx, s.poller.notify)
	defer stop()
	l := newLoop(s)
	err := l.run(ctx)
	s.cfg.afterTurn(l)
	return l.report, err
}
