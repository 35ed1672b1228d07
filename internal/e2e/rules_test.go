package e2e

import (
	"strings"
	"testing"
)

// notesOf are the sentences of a run.
func notesOf(all []event) string {
	var b strings.Builder
	for _, e := range all {
		if e.text("kind") == "note" {
			b.WriteString(e.text("text") + "\n")
		}
	}
	return b.String()
}

// What the user wants of the wire is said at the beginning, as a scenario's own rules are, and what never fitted at the
// end.
func TestTheUsersRulesAreSaid(t *testing.T) {
	beside(t)
	onWire(t)
	status, out, errs := run(t, "echoc", "--wire", "--json", "--drop", "client fin 99", "--dup", "client data 1", "--drop", "client rst after server rst", "--delay", "2ms", "--seed", "7", "--loss", "0%", "close")
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	notes := notesOf(events(t, out))
	begin := "the wire: each segment is 2ms on its way\nthe wire: drop client fin 99\nthe wire: dup client data 1\nthe wire: drop client rst after server rst\n"
	if !strings.HasPrefix(notes, begin) {
		t.Errorf("at the beginning:\n%s", notes)
	}
	for _, want := range []string{
		"the rule `drop client fin 99` never fitted a segment: ",
		"the rule `drop client rst after server rst` never fitted a segment: 0 of server rst came before, and it waits for 1\n",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "`dup client data 1`") {
		t.Errorf("a rule that fitted:\n%s", notes)
	}
	if _, out, _ = run(t, "echoc", "--wire", "--json", "--loss", "100%", "--seed", "3", "--syncnt", "1", "refused"); !strings.Contains(out, "the wire: 100% of the segments are lost, by chance (--seed 3)") {
		t.Errorf("the loss is not said:\n%s", notesOf(events(t, out)))
	}
}

// A hold that nobody would end is refused.
func TestAHoldForEver(t *testing.T) {
	beside(t)
	onWire(t)
	status, out, errs := run(t, "echoc", "--wire", "--hold", "client fin 1", "close")
	if want := "echoc: --hold \"client fin 1\": nobody would let it go: add --step, in a terminal, or --drop it\n"; status != 2 || out != "" || errs != want {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// What nobody has let go when the run ends is said.
func TestWhatTheWireStillHoldsIsSaid(t *testing.T) {
	beside(t)
	onWire(t)
	if testing.Short() {
		t.Skip("connect() gives up after three seconds")
	}
	term := inTerminal(t, 120, "echoc", "--wire", "--step", "--syncnt", "1", "--color=never", "close")
	term.end()
	if want := "the wire still holds, and has not delivered, client: SYN seq=0\r\n"; !strings.Contains(term.shown(), want) {
		t.Errorf("no %q in\n%s", want, term.shown())
	}
}

// A number is neither a duration nor, most likely, meant as a rule.
func TestAHoldWithoutAUnit(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--hold 5 half-close", "--wire --hold 5 half-close"} {
		status, out, errs := run(t, "echoc", strings.Fields(args)...)
		if want := "echoc: --hold 5: a duration is written 5s or 400ms; a RULE goes with --wire\n"; status != 2 || out != "" || errs != want {
			t.Errorf("%s: status %d: %s%s", args, status, out, errs)
		}
	}
}
