package e2e

import "testing"

// What a check rests on is shown: poll() of the urgent mark.
func TestPollIsShown(t *testing.T) {
	beside(t)
	_, out, errs := run(t, "echoc", "--json", "urgent")
	polls := 0
	for _, e := range events(t, out) {
		if args, _ := e["args"].([]any); e.text("call") == "ppoll" && len(args) > 0 && args[0] != "" && e.number("ret") == 1 {
			polls++
		}
	}
	if polls != 1 {
		t.Errorf("%d calls of ppoll are shown: %s", polls, errs)
	}
}
