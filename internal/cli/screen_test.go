package cli

import (
	"slices"
	"testing"
)

// Nothing of a question is cut: what does not fit stands below.
func TestAQuestionOfSeveralLines(t *testing.T) {
	t.Parallel()
	parts := []string{"server: PSH ACK seq=260641 ack=21 len=1448", "client FIN-WAIT-2", "server CLOSE-WAIT", "12 held", "? q"}
	for columns, want := range map[int][]string{
		120: {"server: PSH ACK seq=260641 ack=21 len=1448 | client FIN-WAIT-2 | server CLOSE-WAIT | 12 held | ? q"},
		78:  {"server: PSH ACK seq=260641 ack=21 len=1448 | client FIN-WAIT-2", "server CLOSE-WAIT | 12 held | ? q"},
		38:  {"server: PSH ACK seq=260641 ack=21", "  len=1448 | client FIN-WAIT-2", "server CLOSE-WAIT | 12 held | ? q"},
	} {
		if got := sideBySide(parts, columns); !slices.Equal(got, want) {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
	if got := sideBySide(nil, 80); len(got) != 0 {
		t.Errorf("no question: %q", got)
	}
}
