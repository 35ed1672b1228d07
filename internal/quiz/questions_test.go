package quiz_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"socklife/internal/course"
	"socklife/internal/quiz"
	"socklife/internal/scenario"
	"socklife/internal/timeline"
)

// asked is what a class would compare: everything but what is the kernel's choice in each run.
func asked(questions []quiz.Question) string {
	var b strings.Builder
	for i, q := range questions {
		fmt.Fprintf(&b, "%d. %s: %s\n", i+1, q.Side, q.Text)
		for j, c := range q.Choices {
			fmt.Fprintf(&b, "   %c. %s%s\n", 'a'+j, c.Text, map[bool]string{true: " *"}[j == q.Right])
		}
		fmt.Fprintf(&b, "   %s\n", q.Why)
	}
	return b.String()
}

// TestMostRunsAskTheSame plays each lesson of the course several times: whatever the timing, most runs have the same
// questions for a seed, so that a quiz, which is of three runs that have, is the same for everybody.
func TestMostRunsAskTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every lesson of the course five times")
	}
	for _, lesson := range course.Lessons {
		t.Run(lesson, func(t *testing.T) {
			t.Parallel()
			seed, times, most := rand.Uint64(), map[string]int{}, 0
			for range 5 {
				now := asked(quiz.Make(record(t, scenario.Find(lesson)), seed))
				times[now]++
				most = max(most, times[now])
			}
			if most < 3 {
				t.Errorf("seed %d: no questions came in more than %d of 5 runs: %v", seed, most, times)
			}
		})
	}
}

// TestTheSameSeedAsksTheSame is the trial of quizzes, as many as -runs says: -runs 20, on a busy machine.
func TestTheSameSeedAsksTheSame(t *testing.T) {
	if *runs == 0 {
		t.Skip("a trial: -args -runs 20")
	}
	for _, lesson := range course.Lessons {
		t.Run(lesson, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			var first string
			for n := range *runs {
				_, questions, err := quiz.Steady(seed, func() ([]timeline.Event, error) { return record(t, scenario.Find(lesson)), nil })
				if now := asked(questions); n == 0 {
					first = now
				} else if now != first || err != nil {
					t.Fatalf("run %d, seed %d (%v):\n%s\nbefore:\n%s", n+1, seed, err, now, first)
				}
			}
		})
	}
}

// runs is how many quizzes the trial makes of each lesson.
var runs = flag.Int("runs", 0, "make so many quizzes of every lesson of the course, and compare their questions")

// TestEveryQuestionHasOneAnswer: of every scenario and many seeds.
func TestEveryQuestionHasOneAnswer(t *testing.T) {
	for _, sc := range scenario.All() {
		if sc.OnlyWire {
			continue
		}
		if _, core := course.Find(sc.Name); testing.Short() && !core {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			events := record(t, sc)
			for seed := range uint64(50) {
				check(t, quiz.Make(events, seed))
			}
		})
	}
}

func check(t *testing.T, questions []quiz.Question) {
	t.Helper()
	if len(questions) == 0 {
		t.Error("nothing is asked")
	}
	if len(questions) > quiz.Most {
		t.Errorf("%d questions", len(questions))
	}
	last := 0
	for _, q := range questions {
		texts := map[string]int{}
		for _, c := range q.Choices {
			texts[c.Text]++
			if c.Means == "" {
				t.Errorf("%s: %s means nothing", q.Text, c.Text)
			}
		}
		if len(texts) != 4 || len(q.Choices) != 4 || q.Why == "" || q.At < last {
			t.Errorf("%s: %v, %q at %d", q.Text, q.Choices, q.Why, q.At)
		}
		last = q.At
	}
}
