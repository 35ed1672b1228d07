package main

import (
	"slices"
	"testing"

	"socklife/internal/cli"
)

// The words that echoc takes in a scenario's place are those that it tells of, and that echod says echoc has.
func TestCommandsAreTold(t *testing.T) {
	told := about()
	var words []string
	for _, w := range told.Words() {
		words = append(words, w.Word)
	}
	if !slices.Equal(words, cli.Commands) {
		t.Errorf("about.go tells of %q, cli.Commands are %q", words, cli.Commands)
	}
}
