package sockapi_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"strings"
	"time"

	"socklife/sockapi"

	"golang.org/x/sys/unix"
)

// A client that has said all it has to say shuts its sending side down, and goes on reading: the connection is half
// closed. The server sees the end of the stream, and still answers.
func Example_halfClose() {
	// The server: socket, bind, listen.
	listener, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	check(err)
	check(listener.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	check(listener.Listen(1))
	addr, err := listener.Getsockname() // which port 0 became
	check(err)

	// The client: socket, connect. The kernel finishes the handshake without accept.
	client, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	check(err)
	check(client.Connect(addr))
	_, err = client.Write([]byte("first\nsecond\n"))
	check(err)
	check(client.Shutdown(unix.SHUT_WR)) // FIN: the client is in FIN-WAIT-1, then FIN-WAIT-2, the server in CLOSE-WAIT

	// The server reads to the end, and answers.
	conn, _, err := listener.Accept4(0)
	check(err)
	request, err := io.ReadAll(conn.Stream())
	check(err)
	fmt.Printf("server: %q, and then the end\n", request)
	_, err = conn.Write([]byte(strings.ToUpper(string(request))))
	check(err)
	check(conn.Close()) // FIN: LAST-ACK, and the client goes to TIME-WAIT

	// The client reads the answer, and the end of that.
	buf := make([]byte, 100)
	n, err := client.Read(buf)
	check(err)
	fmt.Printf("client: %q\n", buf[:n])
	n, err = client.Read(buf)
	fmt.Println("client:", n, err) // 0 bytes and no error: the end

	check(client.Close())
	check(listener.Close())
	// Output:
	// server: "first\nsecond\n", and then the end
	// client: "FIRST\nSECOND\n"
	// client: 0 <nil>
}

// Options are values, and Set returns what the kernel made of what it was given.
func ExampleOption_Set() {
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	check(err)
	defer s.Close()

	reuse, err := sockapi.SO_REUSEADDR.SetGet(s, true)
	fmt.Println("SO_REUSEADDR", reuse, err)
	size, err := sockapi.SO_RCVBUF.SetGet(s, 10_000)
	fmt.Println("SO_RCVBUF", size, err) // doubled, for the kernel's bookkeeping
	linger, err := sockapi.SO_LINGER.SetGet(s, sockapi.Linger{OnOff: true, Seconds: 2})
	fmt.Printf("SO_LINGER %+v %v\n", linger, err)
	idle, err := sockapi.TCP_KEEPIDLE.SetGet(s, 90*time.Second)
	fmt.Println("TCP_KEEPIDLE", idle, err)
	// Output:
	// SO_REUSEADDR true <nil>
	// SO_RCVBUF 20000 <nil>
	// SO_LINGER {OnOff:true Seconds:2} <nil>
	// TCP_KEEPIDLE 1m30s <nil>
}

// A Tracer sees each call as strace would show it.
func ExampleTracer() {
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, printer{})
	check(err)
	_, _ = sockapi.SO_REUSEADDR.SetGet(s, true)
	_ = s.Bind(netip.MustParseAddrPort("127.0.0.1:0"))
	_, _ = s.Getpeername()
	_ = s.Close()
	// Output:
	// socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = FD
	// setsockopt(FD, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
	// getsockopt(FD, SOL_SOCKET, SO_REUSEADDR, [1], [4]) = 0
	// bind(FD, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
	// getpeername(FD, ..., [16]) = -1 ENOTCONN
	// close(FD) = 0
}

// printer prints calls, but for the numbers that differ from run to run.
type printer struct{}

func (printer) Enter(c *sockapi.Call) (exit func()) { return func() { show(c) } }

func show(c *sockapi.Call) {
	args := c.Args()
	for i, arg := range args {
		switch {
		case arg == fmt.Sprint(c.FD):
			arg = "FD"
		case strings.HasPrefix(arg, "0x"):
			arg = "..."
		}
		args[i] = arg
	}
	result := fmt.Sprint(c.Ret)
	switch {
	case c.Errno != 0:
		result += " " + sockapi.ErrnoName(c.Errno)
	case c.Name == "socket":
		result = "FD"
	}
	fmt.Printf("%s(%s) = %s\n", c.Name, strings.Join(args, ", "), result)
}

// Errors say which call failed and about which address, and hold the errno.
func ExampleError() {
	s, err := sockapi.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, nil)
	check(err)
	defer s.Close()

	err = s.Connect(netip.MustParseAddrPort("127.0.0.1:1")) // where nobody listens
	fmt.Println(err)
	fmt.Println(errors.Is(err, unix.ECONNREFUSED))
	// Output:
	// connect 127.0.0.1:1: connection refused
	// true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
