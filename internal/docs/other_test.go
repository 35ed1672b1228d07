package docs

import (
	"slices"
	"strings"
)

// parseSS reads ss(8): the states, and which end of the connection each socket is.
func parseSS(text string) *transcript {
	tr := newTranscript()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] == "State" {
			continue
		}
		end := "client's"
		if f[0] == "LISTEN" || strings.Contains(f[4], "0.0.0.0:") {
			end = "listener's"
		}
		tr.plain = append(tr.plain, f[0]+" "+end)
	}
	slices.Sort(tr.plain)
	return tr
}

// parseTour reads the tour: which scenarios were played, and what was seen. By which scenario and source it was seen
// first is luck.
func parseTour(text string) *transcript {
	tr := newTranscript()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) > 1 && strings.Contains(f[0], "/"):
			tr.check("tour", f[1])
		case len(f) > 3 && f[2] == "→":
			tr.check("tour", strings.Join(f[:4], " "))
		case len(f) > 1 && (f[0] == "✓" || f[0] == "–"):
			tr.check("tour", strings.Join(f[:2], " "))
		}
	}
	return tr
}
