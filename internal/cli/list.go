package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"socklife/internal/course"
	"socklife/internal/scenario"
	"socklife/internal/stage"
	"socklife/internal/view"
)

// Commands are the words that echoc takes in a scenario's place.
var Commands = []string{"tour", "learn", "quiz", "compare", "diagram", "replay", "watch"}

// Scenario finds the scenario of that name; its error says which name is near.
func Scenario(name string) (*stage.Scenario, error) {
	if sc := scenario.Find(name); sc != nil {
		return sc, nil
	}
	return nil, Usage{notAScenario(name)}
}

// notAScenario says what was most likely meant.
func notAScenario(name string) string {
	begin, near := beginning(name), scenario.Nearest(name)
	if near == "" {
		near = scenario.NearestOf(name, Commands)
	}
	switch {
	case isNumber(name):
		return notAnAddress(name)
	case slices.Contains(Commands, name):
		return fmt.Sprintf("%s is played by echoc alone, both sides: echoc %[1]s", name)
	case questions[name] != "":
		return fmt.Sprintf("unknown scenario %q: did you mean %s?", name, questions[name])
	case len(begin) > 0 && len(begin) <= 4:
		return fmt.Sprintf("unknown scenario %q: did you mean %s? (--list shows them all)", name, strings.Join(begin, " or "))
	case near != "":
		return fmt.Sprintf("unknown scenario %q: did you mean %s? (--list shows them all)", name, near)
	}
	return fmt.Sprintf("unknown scenario %q: --list shows them all; an address is written HOST:PORT", name)
}

// questions are asked with a flag.
var questions = map[string]string{
	"help": "--help", "list": "--list", "ls": "--list", "explain": "echoc --explain WORD", "version": "--version", "man": "--man",
	"completion": "--completion SHELL",
}

// beginning are the names that begin as what was typed.
func beginning(prefix string) (names []string) {
	for _, name := range scenario.Names() {
		if prefix != "" && strings.HasPrefix(name, strings.ToLower(prefix)) {
			names = append(names, name)
		}
	}
	return names
}

// List writes the scenarios, one line each, by group and in the order in which to meet them, and how to know more. No
// line is wider than width; ascii has only such letters.
func List(w io.Writer, width int, ascii bool) {
	names := 0
	for _, sc := range scenario.All() {
		names = max(names, len(sc.Name))
	}
	for i, g := range stage.Groups {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, g)
		for _, sc := range scenario.All() {
			if sc.Group == g {
				line := fmt.Sprintf("  %-*s  %c %s", names, sc.Name, mark(course.Mark(sc.Name), ascii), shows(sc))
				fmt.Fprintln(w, strings.Join(view.Wrap(line, width, names+6), "\n"))
			}
		}
	}
	fmt.Fprintln(w)
	about := fmt.Sprintf("The order is one in which to take them. %c: to begin with, as echoc learn does. %c: can wait.",
		mark(course.Core, ascii), mark(course.Later, ascii))
	fmt.Fprintln(w, strings.Join(view.Wrap(about, width, 0), "\n"))
	for _, line := range more {
		fmt.Fprintln(w, strings.Join(view.Wrap(line, width, names+4), "\n"))
	}
}

// mark is a scenario's mark, for a terminal that may have no stars.
func mark(m rune, ascii bool) rune {
	switch {
	case ascii && m == course.Core:
		return '*'
	case ascii && m == course.Later:
		return 'o'
	}
	return m
}

// more is what stands below the scenarios: all of them, one after the other, and each of them in full.
var more = []string{
	"echoc tour            every scenario that can be played here, then which states were seen",
	"echoc --explain NAME  the scenario's page: what to look at, why, where one meets it",
}

// shows is what a scenario shows, and what an ordinary user may not have: a wire, root's rights.
func shows(sc *stage.Scenario) string {
	switch {
	case sc.OnlyWire:
		return sc.Lesson + " (--wire)"
	case sc.NeedsRoot:
		return sc.Lesson + " (root, or --wire)"
	case sc.Wire != nil:
		return sc.Lesson + " (also --wire)"
	}
	return sc.Lesson
}
