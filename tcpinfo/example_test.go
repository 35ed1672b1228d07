package tcpinfo_test

import (
	"fmt"
	"log"
	"net"
	"net/netip"

	"socklife/tcpinfo"
)

// TCP_INFO of a connection that package net made.
func ExampleGet() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		log.Fatal(err)
	}
	info, err := tcpinfo.Get(raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.State, info.State.SS(), info.State.Kernel())
	fmt.Println("round trip measured:", info.RTT > 0)
	if info.Has("rcv_wnd") { // Linux 6.2; an older kernel does not say
		fmt.Println("window announced:", info.RcvWnd > 0)
	}
	// Output:
	// ESTABLISHED ESTAB TCP_ESTABLISHED
	// round trip measured: true
	// window announced: true
}

// The connections of a port that wait for their application to close them.
func ExampleConn_Dump() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client.Close()
	_, _ = server.Read(make([]byte, 1)) // the end of the stream: the FIN is here

	diag, err := tcpinfo.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer diag.Close()
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()
	list, err := diag.Dump(tcpinfo.Filter{LocalPort: port, States: tcpinfo.MaskOf(tcpinfo.CloseWait)})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range list {
		fmt.Println(s.State, "from", s.Remote.Addr())
	}
	// Output:
	// CLOSE-WAIT from 127.0.0.1
}

func ExampleCounters_Since() {
	before, err := tcpinfo.ReadCounters()
	if err != nil {
		log.Fatal(err)
	}
	// … what is to be explained …
	after, err := tcpinfo.ReadCounters()
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range after.Since(before) {
		fmt.Printf("%s %+d\n", d.Name, d.Delta)
	}
}
