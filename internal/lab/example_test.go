package lab_test

import (
	"context"
	"fmt"

	"socklife/internal/lab"
)

func ExampleParseRule() {
	for _, text := range []string{"drop client syn 1", "hold fin", "reorder server data 2 by 3", "drop clinet"} {
		rule, err := lab.ParseRule(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(rule)
	}
	// Output:
	// drop client syn 1
	// hold any fin
	// reorder server data 2 by 3
	// rule "drop clinet": "clinet": want client, server, any, a flag (syn, syn+ack, ack, fin, rst, psh, urg), data, bytes, new, again, port, unreachable, every, a number or a range or after
}

// Two hosts; the server's FIN is held until the program lets it go.
func ExampleNew() {
	l, err := lab.New(lab.Config{
		Rules:  lab.MustRules("hold server fin"),
		Report: func(p lab.Packet) { fmt.Println(p.From, p.Segment, p.Fate) },
	})
	if err != nil {
		fmt.Println(err) // *unsupported.Error: what is missing, and how to get it
		return
	}
	defer l.Close()

	l.Server.Go(func() { /* socket, bind, listen, accept on 198.51.100.2 */ })
	l.Client.Go(func() { /* socket, connect from 198.51.100.1 */ })

	fin, err := l.Wire.AwaitHeld(context.Background(), lab.MustMatch("server fin"))
	if err != nil {
		return
	}
	// Here the server is in FIN-WAIT-1 or LAST-ACK, for as long as it takes.
	l.Wire.Release(fin.ID)
}
