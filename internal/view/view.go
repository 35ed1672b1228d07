// Package view shows a timeline: in two lanes on a terminal, one line an event, or as JSON Lines.
//
// All of them are sinks of a [timeline.Log] that show each event as it comes and never go back: they work in a pipe.
package view

import (
	"socklife/internal/lesson"
	"socklife/internal/timeline"
)

// View is what all of them are.
type View interface {
	timeline.Sink
	Flush()     // shows what is still waiting: before a prompt, and at the end
	Err() error // the first error of a write, or nil; after it nothing more is written
}

// Options say what a [Terminal] or a [Narrator] shows, and how. For fills in what depends on the stream.
type Options struct {
	Width int  // columns; 0 is DefaultWidth, more than 120 are not used
	Lanes int  // 1 or 2; 0 decides by Width
	Color bool // escape sequences for colour (SGR), and no others
	ASCII bool // nothing but ASCII
	Wall  bool // times are those of the day, and not of the run

	Title  string // the scenario: half-close
	Lesson string // what it shows: the client has finished sending and keeps receiving
	Ref    string // where that is written: RFC 9293 3.6

	Hint  string       // how to see it otherwise; one line below the title, for somebody at a terminal
	Words lesson.Words // what a [Terminal] says before and after a run; nothing if there are none

	// What the lanes are called: "client", "server 127.0.0.1:7007", "server (seen through sock_diag)".
	ClientLabel, ServerLabel string
	// ClientSource and ServerSource are the sources that a state's row does not name, because the lane's label or, for
	// "tcp_info" (the default), the head does.
	ClientSource, ServerSource string

	// Alone is the side whose sockets alone can be seen, if only one's can: its lane has all the width.
	Alone timeline.Side

	Infer     bool // segments that nobody sees are inferred from calls and states, and drawn dashed
	All       bool // also what is beside the lesson: how both sides agree on the next step
	ManyConns bool // the run has several connections: states are tagged with the client's port

	// Differs says which events of a run are marked, because the run it is compared with does not have them; nil: none.
	Differs func(timeline.Event) bool

	Recorded bool // the events are of a record: a [Terminal] need not wait for what belongs together

	Own timeline.Side // for a Narrator: the side that goes without saying
}
