package main

import (
	"strings"

	"socklife/internal/cli"
	"socklife/internal/help"
)

// about is what echoc says of itself, besides its flags.
func about() help.Command {
	var words []help.Word
	for _, name := range completed() {
		words = append(words, help.Word{Word: name})
	}
	var states []help.Word
	for _, name := range stateNames() {
		states = append(states, help.Word{Word: strings.ToLower(name)})
	}
	return help.Command{
		What: "an echo client that shows what TCP does",
		About: "echoc shows the life of TCP connections: each call of the sockets API as it is made, next to what the kernel then says of both ends, " +
			"their states, timers and queues. It plays scenarios that hold each state still and check what the textbook says on the kernel in front of you; " +
			"without a scenario it is a client for echod(1) and every other echo server (RFC 862). " +
			"What comes back goes to standard output byte for byte where that is no terminal.",
		Modes: []help.Mode{
			{Args: "SCENARIO", Does: "play both sides of a scenario in this terminal"},
			{Args: "SCENARIO ADDR", Does: "play the client's side against an echod SCENARIO"},
			{Args: "ADDR", Does: "send standard input to an echo server and print what comes back; end of input half-closes"},
			{Args: "tour", Does: "play every scenario, then tell which states and transitions were seen"},
			{Args: "learn [LESSON]", Does: "the scenarios to begin with, one a step; goes on where it was left (--list: what is done)"},
			{Args: "quiz [SCENARIO]", Does: "a run that stops to ask what comes next; with --seed N everybody is asked the same"},
			{Args: "compare SCENARIO [SCENARIO]", Does: "play two (or take files of --record), and mark what the other does not have; or one, without and with flags: compare linger-off -- --linger 0"},
			{Args: "diagram", Does: "the state diagram as measured here by a tour: a table, or with --mermaid, --svg FILE or --html FILE a picture; --wire and --trace see more"},
			{Args: "replay FILE [FILE2]", Does: "show what --record has kept; of a client's and a server's file, one timeline"},
			{Args: "watch TARGET...", Does: "anybody's sockets on this host, what is stuck and who must act; TARGET: :PORT, ADDR:PORT, pid:N or all; --once: now"},
			{Args: "--list", Does: "list the scenarios"},
			{Args: "--explain WORD", Does: "what a word means: a scenario, a TCP state, an error, a timer, a socket option, a call, a counter or a sysctl; without WORD, which there are"},
		},
		Examples: []help.Word{
			{Word: "echoc half-close", Means: "begin here: both ends of a half-close"},
			{Word: "echoc tour", Means: "play them all; then which states and transitions were seen"},
			{Word: "echoc --hold 5s half-close", Means: "stay in the state the scenario is about: look at it with ss"},
			{Word: "echoc --pace 400ms half-close", Means: "slowly enough to read along; --step waits for Enter"},
			{Word: "echoc --json half-close", Means: "events as JSON Lines, for jq and other programs"},
			{Word: "echoc --record run.jsonl close", Means: "keep the timeline; echoc replay run.jsonl shows it again"},
			{Word: "echoc --html run.html half-close", Means: "a page of the run, to walk through in a browser, to show and to print"},
			{Word: "echoc --html site/ tour", Means: "all of it as a folder of pages, for any static host"},
			{Word: "echoc --mermaid half-close", Means: "as diagrams that GitHub draws; arrows that nobody saw are inferred, and dashed"},
			{Word: "echoc --svg run.svg half-close", Means: "as a figure for a slide; below it the way of both ends through the states"},
			{Word: "echoc --explain CLOSE-WAIT", Means: "what a state waits for, and who must act"},
			{Word: "echoc --explain half-close", Means: "a scenario's page; also a state, an error, an option, a timer, a call"},
			{Word: "echoc learn", Means: "the scenarios to begin with, one a step; goes on where it was left"},
			{Word: "echoc quiz half-close", Means: "a run that stops to ask: which state, what does read() give, who sends what"},
			{Word: "echoc compare linger-off -- --linger 0", Means: "one scenario without and with an option: what differs is marked"},
			{Word: "echoc diagram", Means: "the state diagram as measured on this kernel: a table, or --mermaid, --svg FILE"},
			{Word: "echoc watch :8080", Means: "any program's sockets: what is stuck, and who must act; --once: the table of now"},
			{Word: "sudo echoc --trace half-close", Means: "with the kernel's own account of the transitions"},
			{Word: "sudo echoc --wire half-close", Means: "two hosts and the wire between them: every segment"},
			{Word: `sudo echoc --wire --drop "client fin 1" close`, Means: "the first FIN is lost, and sent again"},
			{Word: "echoc " + cli.DefaultAddr, Means: "an echo client: what you type, and what comes back"},
		},
		SeeAlso: "echod(1), ss(8), strace(1), tcp(7), socket(7); RFC 9293",
		Values:  map[string][]help.Word{"WORD": words, "STATE": states},
	}
}
