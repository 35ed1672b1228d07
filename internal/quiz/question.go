// Package quiz asks, while the timeline of a run is shown, what comes next: which state, what a call returns, what a
// call has the kernel send.
//
// The run has been made, and recorded, when the first question is asked: what is right is what was observed. The
// questions are made for a seed, and two runs of one lesson have the same, though no two runs are timed alike. This is
// the rule for it:
//
//   - It is asked about what the lesson itself does or waits for, in the order of its own code: the results of its
//     calls, and the states that it expects and that were checked. A state that was only sampled may be passed unseen
//     in the next run.
//   - Two questions are asked in one quiz only if one of them comes first in every run: both are one side's, or what
//     was sent in between says so. What happens at both ends at once comes in any order.
//   - Nothing that is different in each run is in a question or a choice: no port, no descriptor, no length.
//
// On a busy machine a run may be timed in a way that few are, and still have another question: so a lesson is played
// until three runs have the same ([Steady]).
//
// Where more than one answer would be right, it is not asked, or the others are not among the choices: a state that may
// be passed on the way, or that comes next when the other side goes on.
package quiz

import (
	"socklife/internal/timeline"
)

// Most is how many questions there are at most.
const Most = 8

// Question is asked before an event is shown, and about it.
type Question struct {
	At      int           // the index of that event
	Side    timeline.Side // whose it is
	About   string        // the call or the socket as the timeline has it: with its descriptor or address, which differ from run to run
	Text    string
	Choices []Choice
	Right   int    // which of them was observed
	Why     string // in one or two sentences
}

// Choice is one of the answers.
type Choice struct {
	Text  string
	Means string // what it would mean, in a sentence
}

// Recorder is a sink that keeps the events of a run until they are shown.
type Recorder struct{ Events []timeline.Event }

func (r *Recorder) Event(e timeline.Event) { r.Events = append(r.Events, e) }

// candidate is a question that may be asked, and when.
type candidate struct {
	Question
	wrong  []Choice // those to choose from
	after  []int    // events that come before it in every run
	by     int      // the event by which it has been asked in every run
	spoils int      // a later event that its answer gives away; -1 is none
	weight float64
}
