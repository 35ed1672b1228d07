package quiz

import (
	"slices"

	"socklife/internal/timeline"
)

// A lesson is played until so many runs have the same questions, and so often at most.
const (
	agree    = 3
	mostRuns = 9
)

// Steady has a lesson played until three runs have the same questions, and returns the last of them. On a busy machine
// a single run may be timed in a way that few are, and everybody who has the seed is to have the same questions.
func Steady(seed uint64, play func() ([]timeline.Event, error)) (events []timeline.Event, questions []Question, err error) {
	var all [][]Question
	for range mostRuns {
		if events, err = play(); err != nil {
			return events, nil, err
		}
		questions = Make(events, seed)
		if all = append(all, questions); howMany(all, questions) == agree {
			break
		}
	}
	return events, questions, nil
}

func howMany(all [][]Question, like []Question) (n int) {
	for _, questions := range all {
		if slices.EqualFunc(questions, like, same) {
			n++
		}
	}
	return n
}

// same says whether two questions of two runs are the same to whoever is asked.
func same(a, b Question) bool {
	return a.Side == b.Side && a.Text == b.Text && a.Right == b.Right && slices.Equal(a.Choices, b.Choices)
}
