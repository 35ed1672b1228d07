package main

import (
	"socklife/internal/cli"
	"socklife/internal/help"
)

// about is what echod says of itself, besides its flags.
func about() help.Command {
	return help.Command{
		What: "an echo server that shows what TCP does",
		About: "echod is an echo server (RFC 862) that shows the life of its connections: each call of the sockets API as it is made, next to what the kernel " +
			"then says of both ends, their states, timers and queues. With the name of a scenario it plays the server's side of that lesson, run after run, " +
			"for an echoc(1) in another terminal or on another host. It listens on loopback unless --listen says otherwise. Started as root, the plain server " +
			"becomes nobody once it listens, unless it has a trace or a file to complete.",
		Modes: []help.Mode{
			{Args: "", Does: "serve the echo protocol (RFC 862) to many clients"},
			{Args: "SCENARIO", Does: "play the server's side of a scenario, again and again, for echoc SCENARIO ADDR in another terminal"},
			{Args: "--list", Does: "list the scenarios"},
		},
		Examples: []help.Word{
			{Word: "echod half-close", Means: "one terminal; in another:  echoc half-close " + cli.DefaultAddr},
			{Word: "echod", Means: "an echo server (RFC 862) for many clients"},
			{Word: "echod --listen :0", Means: "on a port that is free"},
			{Word: "echod --backlog 1 --max-conns 1", Means: "see the accept queue fill"},
			{Word: "sudo echod --trace --capture", Means: "the same server, with its clients' transitions and segments"},
		},
		SeeAlso: "echoc(1), ss(8), strace(1), tcp(7), listen(2), accept(2); RFC 862, RFC 9293",
	}
}
