package stage

import (
	"testing"
	"time"
)

func FuzzParseRequest(f *testing.F) {
	f.Add("half-close hold=5s\n")
	f.Add("x hold=-1s")
	f.Fuzz(func(t *testing.T, line string) {
		if _, hold, ok := parseRequest(line); ok && (hold < 0 || hold > time.Hour) {
			t.Errorf("%q: a hold of %v", line, hold)
		}
	})
}
