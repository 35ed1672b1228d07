package tcpinfo_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"socklife/tcpinfo"
)

// A net.TCPConn is watched through its life: a half-close, the peer's answer, and TIME-WAIT, which outlives the
// descriptor.
func ExampleWatcher() {
	diag, err := tcpinfo.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer diag.Close()
	watcher := tcpinfo.NewWatcher(diag, func(c tcpinfo.Change) {
		// FIN-WAIT-1 lasts microseconds here: it may be seen, or passed unseen.
		if c.What&tcpinfo.StateChanged != 0 && c.To != tcpinfo.FinWait1 {
			fmt.Printf("%v: %v\n", c.Watch.Tag(), c.To)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	polling := make(chan struct{})
	go func() { defer close(polling); watcher.Run(ctx, 2*time.Millisecond) }()
	defer func() { cancel(); <-polling }()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String()) // succeeds before Accept
	if err != nil {
		log.Fatal(err)
	}
	tcp := conn.(*net.TCPConn)
	raw, err := tcp.SyscallConn() // a Controller
	if err != nil {
		log.Fatal(err)
	}
	client, err := watcher.Follow(raw, "client")
	if err != nil {
		log.Fatal(err)
	}

	_ = tcp.CloseWrite() // shutdown(SHUT_WR)
	if _, err := client.Wait(ctx, tcpinfo.FinWait2); err != nil {
		log.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, server) // to the end of the stream
	_ = server.Close()
	_ = tcp.Close()
	last, err := client.Wait(ctx, tcpinfo.TimeWait)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("says %s, timer %v\n", last.Source, last.Diag.Timer.Kind)
	// Output:
	// client: ESTABLISHED
	// client: FIN-WAIT-2
	// client: TIME-WAIT
	// says sock_diag, timer timewait
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
		if why, ok := tcpinfo.ExplainCounter(d.Name); ok {
			fmt.Printf("%s %+d: %s\n", d.Name, d.Delta, why)
		}
	}
}
