package figure

import (
	"fmt"
	"slices"

	"socklife/internal/timeline"
)

// mostPlain is how many plain segments, of data and their acknowledgements, may stand one below the other.
const mostPlain = 4

// fold has one arrow for each direction of a longer exchange of plain segments, which says how many they are.
func fold(rows []row) (folded []row) {
	for len(rows) > 0 {
		n := 0
		for n < len(rows) && rows[n].plain() {
			n++
		}
		switch {
		case n > mostPlain:
			folded = append(folded, bulk(rows[:n])...)
		default:
			n = max(n, 1)
			folded = append(folded, rows[:n]...)
		}
		rows = rows[n:]
	}
	return folded
}

// plain says whether a row is a segment of data, or an acknowledgement, of which nothing more is to be said.
func (r row) plain() bool {
	a := r.arrow
	return a != nil && (a.Fate == "" || a.Fate == "delivered") && len(r.more) == 0 && !a.Open &&
		!slices.ContainsFunc(a.Flags, func(f string) bool { return f == "SYN" || f == "FIN" || f == "RST" || f == "URG" })
}

// bulk is one arrow of each direction and name, at the place of the first of its segments.
func bulk(rows []row) (folded []row) {
	type flow struct {
		from timeline.Side
		ends timeline.Ends
	}
	var flows []flow
	of := map[flow][]row{}
	for _, r := range rows {
		f := flow{r.arrow.From, r.arrow.Ends}
		if of[f] == nil {
			flows = append(flows, f)
		}
		of[f] = append(of[f], r)
	}
	for _, f := range flows {
		folded = append(folded, sum(of[f]))
	}
	return folded
}

// sum is one row for segments of one direction.
func sum(rows []row) row {
	first := rows[0]
	if len(rows) == 1 {
		return first
	}
	bytes := 0
	for _, r := range rows {
		bytes += r.arrow.Bytes
	}
	a := *first.arrow
	says := fmt.Sprintf("%d segments, %d bytes", len(rows), bytes)
	if bytes == 0 {
		says = fmt.Sprintf("%d acknowledgements", len(rows))
	}
	if a.Inferred {
		says = fmt.Sprintf("%d bytes", bytes)
	}
	a.Says, a.Bytes = says, bytes
	prefix := ""
	if i := len(first.says) - len(first.arrow.Says); i > 0 {
		prefix = first.says[:i]
	}
	first.arrow, first.says = &a, prefix+says
	return first
}
