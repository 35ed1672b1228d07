package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/internal/stage"
	"socklife/sockapi"
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

// A lesson that does not come out against another process may be because that plays something else.
func TestTheClientsVerdictHasAHint(t *testing.T) {
	const hint = " (is `echod half-close` running there?)"
	refused := &sockapi.Error{Call: "setsockopt", Errno: unix.EINVAL}
	for _, c := range []struct {
		result stage.Result
		hinted bool
	}{
		{stage.Result{Checks: 5, Failed: 1}, true},
		{stage.Result{Checks: 5, Failed: 1, Err: errors.New("TIME-WAIT instead of FIN-WAIT-2")}, true},
		{stage.Result{Err: fmt.Errorf("%w: it said x", stage.ErrMismatch)}, false}, // which says it itself
		{stage.Result{Err: refused}, false},
	} {
		var out strings.Builder
		if Complain(&out, "echoc", ClientVerdict("half-close", c.result)); strings.Contains(out.String(), hint) != c.hinted {
			t.Errorf("%+v: %q", c.result, out.String())
		}
	}
	if err := ClientVerdict("half-close", stage.Result{Checks: 5}); err != nil {
		t.Error(err)
	}
}
