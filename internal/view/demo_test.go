package view

import (
	"os"
	"testing"
)

// TestDemo draws the samples on the terminal that the test runs in, to be looked at: VIEW_DEMO=1 go test -run TestDemo
func TestDemo(t *testing.T) {
	if os.Getenv("VIEW_DEMO") == "" {
		t.Skip("set VIEW_DEMO=1 to look at the samples")
	}
	o := For(os.Stdout, os.Getenv("VIEW_COLOR"))
	for _, s := range samples {
		with := s.options
		with.Width, with.Color, with.ASCII = o.Width, o.Color, o.ASCII
		s.script().show(New(os.Stdout, with))
		os.Stdout.WriteString("\n")
	}
}
