package compare

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A wish is a difference that is wanted, and why.
type wish struct {
	pattern *regexp.Regexp
	reason  string
	matched int
}

type wishes []*wish

// readExpected reads a file of lines  REGEXP # reason; empty lines, and those that begin with #, say nothing. A pattern
// is matched with "SCENARIO FORM LANE: SIGN TEXT", as in  ^crash two echod's server: - note: kill # the note was about
// something else
func readExpected(name string) (wishes, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all wishes
	for i, row := range strings.Split(string(data), "\n") {
		if row = strings.TrimSpace(row); row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		at := strings.LastIndex(row, " # ")
		if at < 0 {
			return nil, fmt.Errorf("%s:%d: no reason (REGEXP # reason)", name, i+1)
		}
		pattern, err := regexp.Compile(strings.TrimSpace(row[:at]))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		all = append(all, &wish{pattern: pattern, reason: row[at+3:]})
	}
	return all, nil
}

// match finds the wish that a difference grants.
func (all wishes) match(text string) *wish {
	for _, w := range all {
		if w.pattern.MatchString(text) {
			return w
		}
	}
	return nil
}
