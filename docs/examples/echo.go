//go:build ignore

// An echo server, one client at a time: go run docs/examples/echo.go 7007
package main

import (
	"fmt"
	"log"
	"net"
	"os"
)

func main() {
	port := "7007"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:"+port) // socket, setsockopt SO_REUSEADDR, bind, listen
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, _ := conn.Read(buf)
		if n == 0 {
			continue // it has nothing to say
		}
		for n > 0 {
			if _, err := conn.Write(buf[:n]); err != nil {
				break
			}
			n, _ = conn.Read(buf)
		}
		conn.Close()
	}
}
