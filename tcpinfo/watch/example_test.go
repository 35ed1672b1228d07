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

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A net.TCPConn is watched through its life: a half-close, the peer's answer, and TIME-WAIT, which outlives the
// descriptor.
func ExampleWatcher() {
	diag, err := tcpinfo.Dial()
	check(err)
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
	check(err)
	defer listener.Close()
	c, err := net.Dial("tcp", listener.Addr().String()) // succeeds before Accept
	check(err)
	conn := c.(*net.TCPConn)

	raw, err := conn.SyscallConn() // conn is a *net.TCPConn
	check(err)
	client, err := watcher.Follow(raw, "client")
	check(err)
	check(conn.CloseWrite()) // shutdown(SHUT_WR)
	_, err = client.Wait(ctx, tcpinfo.FinWait2)
	check(err)

	server, err := listener.Accept()
	check(err)
	_, _ = io.Copy(io.Discard, server) // to the end of the stream
	_ = server.Close()
	_ = conn.Close()
	last, err := client.Wait(ctx, tcpinfo.TimeWait)
	check(err)
	fmt.Printf("says %s, timer %v\n", last.Source, last.Diag.Timer.Kind)
	// Output:
	// client: ESTABLISHED
	// client: FIN-WAIT-2
	// client: TIME-WAIT
	// says sock_diag, timer timewait
}

// A listener's accept queue and the connection in it, which has no descriptor: nobody has called accept.
func ExampleWatcher_FollowChildren() {
	diag, err := tcpinfo.Dial()
	check(err)
	defer diag.Close()
	watcher := watch.New(diag, func(c watch.Change) {
		if c.Socket.Tag() == "child" && c.To == tcpinfo.Established {
			fmt.Printf("the child is %v, says %s\n", c.To, c.Now.Source)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	raw, err := listener.(*net.TCPListener).SyscallConn()
	check(err)
	followed, err := watcher.Follow(raw, "listener")
	check(err)
	watcher.FollowChildren(followed, "child")

	client, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	check(watcher.WaitFor(ctx, func() bool { watcher.Sample(); return followed.Last().AcceptQueue == 1 }))
	fmt.Println("accept queue:", followed.Last().AcceptQueue)
	// Output:
	// the child is ESTABLISHED, says sock_diag
	// accept queue: 1
}
