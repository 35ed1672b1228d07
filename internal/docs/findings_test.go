package docs

import (
	"fmt"
	"testing"

	"socklife/internal/explain"
	"socklife/internal/scenario"
)

// findingsTable is what echoc watch finds, as --explain has it.
func findingsTable(t *testing.T) string {
	var rows [][]string
	for _, f := range explain.Findings() {
		if scenario.Find(f.Seen) == nil {
			t.Errorf("%s is seen in %s, which is no scenario", f.Name, f.Seen)
		}
		rows = append(rows, []string{code(f.Name), f.Means, f.Sees, f.Who, fmt.Sprintf("[%s](scenarios/%s.md)", f.Seen, f.Seen)})
	}
	return markdown([]string{"finding", "means", "in `ss`", "who must act", "page"}, rows)
}
