package scenario

import (
	"socklife/internal/stage"
	"socklife/tcpinfo"
)

// The same as in the scenario close, mirrored: whoever closes first gets TIME-WAIT, client or server. Servers that
// close first (HTTP/1.0 did, and "Connection: close" does) collect it on the port that they listen on.
var serverClose = &stage.Scenario{
	Name: "server-close", Group: stage.Closing,
	Lesson: "whoever closes first gets TIME-WAIT: here the server",
	Source: "RFC 9293 3.6",
	Server: serverCloseServer,
	Client: serverCloseClient,

	ServerNeeds: stage.Needs{TimeWaits: 1},
}

func serverCloseServer(s *stage.Side) {
	l := s.Listen()
	conn := l.Accept()
	s.ReadRequest(conn)
	conn.Write([]byte("goodbye\n"))
	conn.Close()
	conn.Expect("we closed first, and the kernel does the rest without us",
		tcpinfo.FinWait1, tcpinfo.FinWait2, tcpinfo.TimeWait)
	conn.Expect("both FINs are acknowledged; for 60 s this is on the server's port", tcpinfo.TimeWait)
	s.Check("on the port that the server listens on", conn.Local().Port() == l.Local().Port(), "%s", conn.Local())
	conn.ExpectPeerGone("the client closed second: nothing is left there")
	l.Expect("the listener is another socket, and not concerned", tcpinfo.Listen)
}

func serverCloseClient(c *stage.Side) {
	conn := c.Dial()
	conn.Write(c.Request())
	all := conn.ReadToEnd()
	c.Check("the answer, and then read() gives 0: the server has finished", string(all) == "goodbye\n", "%q", all)
	conn.Expect("the server's FIN has come; it is this application's turn to close", tcpinfo.CloseWait)
	conn.ExpectPeer("its FIN is acknowledged, it waits for ours", tcpinfo.FinWait2)
	c.Hold()
	conn.Close()
	conn.ExpectEnded("our FIN is acknowledged (LAST-ACK ended): whoever closes second has no TIME-WAIT")
}
