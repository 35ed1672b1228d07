package quiz

import (
	"cmp"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"

	"socklife/internal/timeline"
)

// Make makes the questions of a run that has come to a good end, in the order in which they are asked.
func Make(events []timeline.Event, seed uint64) []Question {
	h := newHistory(events)
	all := distinct(candidates(h))
	for i := range all {
		all[i].weight += 1.5 * all[i].chance(seed).Float64()
	}
	var questions []Question
	given := map[int]bool{} // events that the answer of a question before gives away
	for _, i := range h.chain(all) {
		if !given[all[i].by] {
			questions = append(questions, all[i].shuffled(all[i].chance(seed)))
		}
		given[all[i].spoils] = true
	}
	// The order is that of every run, also where an event was late into the log of this one.
	for i := len(questions) - 2; i >= 0; i-- {
		questions[i].At = min(questions[i].At, questions[i+1].At)
	}
	return questions
}

// chance is a question's own: what else may be asked has no part in it.
func (q candidate) chance(seed uint64) *rand.Rand {
	words := fnv.New64a()
	io.WriteString(words, q.Text+q.Choices[0].Text)
	return rand.New(rand.NewPCG(seed, words.Sum64()))
}

// candidates are all there are, in an order that is that of every run: the client's, then the server's.
func candidates(h *history) []candidate {
	all := slices.Concat(opened(h), states(h), results(h), ended(h))
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.by, b.by))
	})
	return all
}

// distinct leaves out what was asked before in the same words and has the same answer.
func distinct(all []candidate) (list []candidate) {
	for _, q := range all {
		if !slices.ContainsFunc(list, func(p candidate) bool { return p.Text == q.Text && p.Choices[0].Text == q.Choices[0].Text }) {
			list = append(list, q)
		}
	}
	return list
}

// asked says whether one question is asked before the other in every run, and does not give it away.
func (h *history) asked(p, q candidate) bool {
	return p.spoils != q.by && slices.ContainsFunc(q.after, func(i int) bool { return h.precedes(p.by, i) })
}

// chain chooses the questions that are worth most together, each before the next, at most [Most].
func (h *history) chain(all []candidate) []int {
	type way struct {
		weight float64
		from   int
	}
	var ways [][]way // of each length: the best that ends with a question
	best := []int(nil)
	top := 0.0
	for n := range Most {
		row := make([]way, len(all))
		for i, q := range all {
			row[i] = way{q.weight, -1}
			for j, p := range all {
				if n > 0 && i != j && ways[n-1][j].weight > 0 && h.asked(p, q) && (row[i].from < 0 || ways[n-1][j].weight+q.weight > row[i].weight) {
					row[i] = way{ways[n-1][j].weight + q.weight, j}
				}
			}
			if n > 0 && row[i].from < 0 {
				row[i].weight = 0 // no way is that long
			}
		}
		ways = append(ways, row)
		for i, w := range row {
			if w.weight > top {
				top, best = w.weight, nil
				for m, at := n, i; at >= 0; m-- {
					best = append(best, at)
					at = ways[m][at].from
				}
				slices.Reverse(best)
			}
		}
	}
	return best
}

// shuffled has four choices, the right one among them.
func (q candidate) shuffled(chance *rand.Rand) Question {
	chance.Float64() // that was the weight
	wrong := slices.Clone(q.wrong)
	likely := wrong[:min(len(wrong), 5)]
	chance.Shuffle(len(likely), func(i, j int) { likely[i], likely[j] = likely[j], likely[i] })
	right := q.Choices[0]
	q.Choices = append(q.Choices, likely[:min(len(likely), 3)]...)
	chance.Shuffle(len(q.Choices), func(i, j int) { q.Choices[i], q.Choices[j] = q.Choices[j], q.Choices[i] })
	q.Right = slices.Index(q.Choices, right)
	return q.Question
}
