package tcpinfo_test

import (
	"fmt"
	"log"
	"net"
	"net/netip"

	"socklife/tcpinfo"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// connected returns both ends of a connection that package net made, and its listener.
func connected() (client, server *net.TCPConn, listener net.Listener) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	c, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	s, err := listener.Accept()
	check(err)
	return c.(*net.TCPConn), s.(*net.TCPConn), listener
}

// TCP_INFO of a connection that package net made.
func ExampleGet() {
	conn, server, listener := connected()
	defer listener.Close()
	defer server.Close()
	defer conn.Close()

	raw, err := conn.SyscallConn() // conn is a *net.TCPConn
	check(err)
	info, err := tcpinfo.Get(raw) // getsockopt(TCP_INFO)
	check(err)
	fmt.Println(info.State, info.State.SS(), info.State.Kernel())

	fmt.Println("round trip measured:", info.RTT > 0)
	if info.Has("rcv_wnd") && info.RcvWnd == 0 { // Linux 6.2; an older kernel does not say
		fmt.Println("no window is announced")
	}
	// Output:
	// ESTABLISHED ESTAB TCP_ESTABLISHED
	// round trip measured: true
}

// What only sock_diag says of a connection that package net made: timer, queues, the directions that are shut.
func ExampleConn_Lookup() {
	conn, server, listener := connected()
	defer listener.Close()
	defer server.Close()
	defer conn.Close()
	check(conn.CloseWrite())

	diag, err := tcpinfo.Dial()
	check(err)
	defer diag.Close()
	local, remote := conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	s, err := diag.Lookup(local, remote, 0)
	check(err)
	fmt.Println("shut:", s.Shutdown, "- to be read:", s.RecvQ, "- congestion control:", s.Cong != "")
	// Output:
	// shut: SEND_SHUTDOWN - to be read: 0 - congestion control: true
}

// The connections of a port that wait for their application to close them.
func ExampleConn_Dump() {
	client, server, listener := connected()
	defer listener.Close()
	defer server.Close()
	client.Close()
	_, _ = server.Read(make([]byte, 1)) // the end of the stream: the FIN is here

	diag, err := tcpinfo.Dial()
	check(err)
	defer diag.Close()
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()
	list, err := diag.Dump(tcpinfo.Filter{LocalPort: port, States: tcpinfo.MaskOf(tcpinfo.CloseWait)})
	check(err)
	for _, s := range list {
		fmt.Println(s.State, "from", s.Remote.Addr())
	}
	// Output:
	// CLOSE-WAIT from 127.0.0.1
}

// Every spelling of a state's name is read; ss(8) and the kernel have their own.
func ExampleParseState() {
	for _, name := range []string{"fin-wait-2", "ESTAB", "TCP_SYN_RECV"} {
		s, err := tcpinfo.ParseState(name)
		check(err)
		fmt.Println(s, s.SS(), s.Kernel())
	}
	// Output:
	// FIN-WAIT-2 FIN-WAIT-2 TCP_FIN_WAIT2
	// ESTABLISHED ESTAB TCP_ESTABLISHED
	// SYN-RECEIVED SYN-RECV TCP_SYN_RECV
}

func ExampleCounters_Since() {
	before, err := tcpinfo.ReadCounters()
	check(err)
	// … what is to be explained …
	after, err := tcpinfo.ReadCounters()
	check(err)
	for _, d := range after.Since(before) {
		fmt.Printf("%s %+d\n", d.Name, d.Delta)
	}
}
