package cli

import (
	"strings"
	"testing"
)

// What was typed is shown, and does nothing to the terminal.
func TestAComplaintIsHarmless(t *testing.T) {
	for typed, shown := range map[string]string{
		"\x1b]0;title\a":  `\x1b]0;title\a`,
		"tab\there":       `tab\there`,
		"\u202egnp":       `\u202egnp`,
		"\u009b31m":       `\u009b31m`,
		"\xff":            `\xff`,
		"two\nlines":      "two; lines",
		"Łódź 中文 \"\\\" ": "Łódź 中文 \"\\\" ",
	} {
		var out strings.Builder
		if Complain(&out, "prog", Usagef("--%s: no such flag", typed)); out.String() != "prog: --"+shown+": no such flag\n" {
			t.Errorf("%q: %q", typed, out.String())
		}
	}
}
