package watch_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// A net.TCPConn is watched through its life: a half-close, the peer's answer, and TIME-WAIT, which outlives the
// descriptor.
func ExampleWatcher() {
	diag, err := tcpinfo.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer diag.Close()
	watcher := watch.New(diag, func(c watch.Change) {
		// FIN-WAIT-1 lasts microseconds here: it may be seen, or passed unseen.
		if c.What&watch.StateChanged != 0 && c.To != tcpinfo.FinWait1 {
			fmt.Printf("%v: %v\n", c.Socket.Tag(), c.To)
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

// The listener's queue and the connection in it, before anybody calls accept.
func ExampleWatcher_FollowChildren() {
	diag, err := tcpinfo.Dial()
	if err != nil {
		log.Fatal(err)
	}
	defer diag.Close()
	watcher := watch.New(diag, func(c watch.Change) {
		if c.Socket.Tag() == "child" && c.To == tcpinfo.Established {
			fmt.Println("a child is", c.To, "and told by", c.Now.Source)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		log.Fatal(err)
	}
	followed, err := watcher.Follow(raw, "listener")
	if err != nil {
		log.Fatal(err)
	}
	watcher.FollowChildren(followed, "child")

	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = watcher.WaitFor(ctx, func() bool { watcher.Sample(); return followed.Last().AcceptQueue == 1 })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accept queue:", followed.Last().AcceptQueue)
	// Output:
	// a child is ESTABLISHED and told by sock_diag
	// accept queue: 1
}
