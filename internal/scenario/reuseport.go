package scenario

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// Listeners that all have SO_REUSEPORT share a port: the kernel gives each new connection to one of them, by a hash of
// its addresses and ports. Each has an accept queue of its own, and takes it along when it closes: what was in it is
// reset, though another listener could have served it.
var reuseport = &stage.Scenario{
	Name: "reuseport", Group: stage.Addresses, Many: true, Control: stage.ControlListener,
	Lesson: "two listeners on one port: connections spread, queues do not move",
	Source: "socket(7) SO_REUSEPORT, tcp_migrate_req",
	Server: reuseportServer,
	Client: reuseportClient,

	ServerNeeds: stage.Needs{Backlog: reuseportMost},
}

// So many connections there are; more, until both listeners have one, which is long before the most.
const (
	reuseportAtLeast = 4
	reuseportMost    = 16
)

func reuseportServer(s *stage.Side) {
	l := s.Listen()
	control := l.Accept() // over this connection the two sides say how far they are
	s.ReadRequest(control)

	one := s.SharingPort(netip.AddrPortFrom(control.Local().Addr(), 0))
	one.Name("first")
	one.Listen(128)
	two := s.Socket()
	two.Name("second")
	s.CheckErrno("bind() to the same port without SO_REUSEPORT fails", two.TryBind(one.Local()), unix.EADDRINUSE)
	stage.Set(two, sockapi.SO_REUSEPORT, true)
	s.CheckErrno("with it, as the first one has it, bind() succeeds", two.TryBind(one.Local()), 0)
	s.CheckErrno("and so does listen(): two listeners, one port", two.TryListen(128), 0)
	two.Expect("the second one listens", tcpinfo.Listen)
	one.Expect("and so does the first", tcpinfo.Listen)

	control.Say(one.Local().String())
	var n, second uint32 // how many connections there are, and how many at the second listener
	for control.Hear() == "one more" {
		n++
		s.Wait("the connection is in one of the two queues", func() bool { return one.Last().AcceptQueue+two.Last().AcceptQueue == n })
		to := "first"
		if now := two.Last().AcceptQueue; now > second {
			to, second = "second", now
		}
		s.Note("the kernel gave it to the %s listener: %d wait at the first, %d at the second", to, n-second, second)
		if n >= reuseportAtLeast && one.Last().AcceptQueue > 0 && two.Last().AcceptQueue > 0 {
			control.Say("enough")
		} else {
			control.Say("go on")
		}
	}
	stay, gone := one.Last().AcceptQueue, two.Last().AcceptQueue
	s.Check("the connections are spread: some wait at each", stay > 0 && gone > 0, "%d and %d", stay, gone)
	s.Hold()

	queues := []string{fmt.Sprint(stay), fmt.Sprint(gone)}
	two.Close()
	expect := "the second listener has closed; the first one's queue is as it was"
	if s.Sysctl("tcp_migrate_req") == "1" {
		expect = "the second listener has closed; tcp_migrate_req is 1: the first one has its queue now"
		stay, gone = stay+gone, 0
	}
	one.AwaitQueue(expect, stay)
	control.Say(fmt.Sprint(gone))
	control.HearWord("late")
	one.AwaitQueue("whoever comes now comes to the first listener", stay+1)
	conns := []*stage.Conn{}
	for range stay + 1 {
		conns = append(conns, one.Accept())
	}
	for _, conn := range conns {
		conn.Say("welcome")
	}
	for _, conn := range conns {
		conn.Read(64)
		conn.Close()
	}
	reset := control.Hear()
	s.Table("what became of the connections", []string{"listener", "waited there", "then", "served", "reset"},
		[]string{"first", queues[0], "it goes on, and one more comes", fmt.Sprint(len(conns)), "0"},
		[]string{"second", queues[1], "it closes", "0", reset})
	control.Say("end")
	control.Read(64)
	control.Close()
}

func reuseportClient(c *stage.Side) {
	control := c.Dial()
	control.Write(c.Request())
	port := control.HearAddr()
	conns := []*stage.Conn{}
	for more := true; more; {
		conn := c.Socket()
		conn.Connect(port)
		conn.Expect("connected, to one of the two", tcpinfo.Established)
		conns = append(conns, conn)
		control.Say("one more")
		more = control.Hear() == "go on"
	}
	control.Say("that was all")

	gone := control.Hear()
	c.Await("the connections that waited at the listener which closed are reset, and no others", func() (string, bool) {
		closed := fmt.Sprint(len(in(tcpinfo.Closed, conns)))
		return closed + " of " + gone, closed == gone
	})
	late := c.Socket()
	late.Name("late")
	late.Connect(port)
	control.Say("late")
	reset := in(tcpinfo.Closed, conns)
	for _, conn := range reset {
		_, err := conn.TryRead(64)
		c.CheckErrno("a server had been there, connect() had succeeded, and now read() fails", err, unix.ECONNRESET)
		conn.Close()
	}
	for _, conn := range in(tcpinfo.Established, append(conns, late)) {
		word := conn.Hear()
		c.Check("the other listener's connections are served", word == "welcome", "%q", word)
		conn.Close()
	}
	control.Say(fmt.Sprint(len(reset)))
	control.HearWord("end")
	control.Close()
}

// in are those of the connections that are in a state.
func in(state tcpinfo.State, conns []*stage.Conn) (some []*stage.Conn) {
	for _, c := range conns {
		if c.Last().State == state {
			some = append(some, c)
		}
	}
	return some
}
