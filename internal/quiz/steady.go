package quiz

import (
	"slices"

	"socklife/internal/timeline"
)

// mostRuns is how often a lesson is played until two runs have the same questions.
const mostRuns = 5

// Steady has a lesson played until two runs have the same questions, and returns one of them. On a busy machine a
// single run may be timed in a way that few are, and everybody who has the seed is to have the same questions.
func Steady(seed uint64, play func() ([]timeline.Event, error)) (events []timeline.Event, questions []Question, err error) {
	var before [][]Question
	for range mostRuns {
		if events, err = play(); err != nil {
			return events, nil, err
		}
		questions = Make(events, seed)
		if slices.ContainsFunc(before, func(other []Question) bool { return slices.EqualFunc(questions, other, same) }) {
			break
		}
		before = append(before, questions)
	}
	return events, questions, nil
}

// same says whether two questions of two runs are the same to whoever is asked.
func same(a, b Question) bool {
	return a.Side == b.Side && a.Text == b.Text && a.Right == b.Right && slices.Equal(a.Choices, b.Choices)
}
