// Package help says how a command is called: in the terminal, as a manual page, and to the shells that complete its
// words. All of them are made from one description, and that from the command's flags.
package help

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Command is the description. Its texts are in ASCII.
type Command struct {
	Name     string // echoc
	What     string // an echo client that shows what TCP does
	About    string // a paragraph
	Modes    []Mode
	Groups   []Group // of flags
	Terms    []Word  // how the placeholders are written: ADDR, DURATION
	Rules    []Word  // the parts of a RULE; empty where there are none
	Examples []Word  // command lines
	Exits    []Word  // exit statuses
	Environ  []Word  // variables
	SeeAlso  string

	// Values are the words that may stand for a placeholder: SCENARIO, WHEN, WORD. For FILE they are the files.
	Values map[string][]Word
}

// anywhere says how flags go with the modes.
const anywhere = "Flags may stand before, between and after these words."

// call is a mode as it is typed.
func (c *Command) call(m Mode) string { return strings.TrimSpace(c.Name + " " + m.Args) }

// Word is one with its meaning.
type Word struct{ Word, Means string }

// Mode is one way to call the command: "SCENARIO ADDR", "tour", "--list".
type Mode struct{ Args, Does string }

// Group is a group of flags.
type Group struct {
	Title string // Output
	Flags []*pflag.Flag
}

// flags are those of all groups.
func (c *Command) flags() (all []*pflag.Flag) {
	for _, g := range c.Groups {
		all = append(all, g.Flags...)
	}
	return all
}

// Words are the modes that are called by a word, as "tour".
func (c *Command) Words() (words []Word) {
	for _, m := range c.Modes {
		if word, _, _ := strings.Cut(m.Args, " "); word != "" && word[0] >= 'a' && word[0] <= 'z' {
			words = append(words, Word{word, m.Does})
		}
	}
	return words
}

// first are the words that may come first on the command line, besides flags.
func (c *Command) first() []Word {
	words := c.Words()
	if slices.ContainsFunc(c.Modes, func(m Mode) bool { return strings.HasPrefix(m.Args, "SCENARIO") }) {
		words = append(words, c.Values["SCENARIO"]...)
	}
	return words
}

// beforeScenario are the modes' words after which the name of a scenario may stand: "quiz [SCENARIO]".
func (c *Command) beforeScenario() (words []string) {
	for _, m := range c.Modes {
		if word, rest, _ := strings.Cut(m.Args, " "); strings.Contains(rest, "SCENARIO") && word == strings.ToLower(word) {
			words = append(words, word)
		}
	}
	return words
}

// beforeFile are the modes' words after which files may stand: "replay FILE [FILE2]".
func (c *Command) beforeFile() (words []string) {
	for _, m := range c.Modes {
		if word, rest, _ := strings.Cut(m.Args, " "); strings.HasPrefix(rest, file) {
			words = append(words, word)
		}
	}
	return words
}

// Placeholder is what a flag's value is called, "" where it takes none; and the usage without the marks around it.
// Where the usage names none, the type does.
func Placeholder(f *pflag.Flag) (name, usage string) {
	name, usage = pflag.UnquoteUsage(f)
	if f.NoOptDefVal != "" {
		return "", usage
	}
	if byType, is := map[string]string{"duration": "DURATION", "int": "N", "uint": "N", "string": "TEXT"}[name]; is {
		name = byType
	}
	return name, usage
}

// names is a flag as it is typed: "-q, --quiet", "--pace DURATION". What has no letter is not indented for want of it.
func names(f *pflag.Flag) string {
	s := "--" + f.Name
	if f.Shorthand != "" {
		s = "-" + f.Shorthand + ", " + s
	}
	if value, _ := Placeholder(f); value != "" {
		s += " " + value
	}
	return s
}

// does is what a flag is for, with its default where that is not nothing.
func does(f *pflag.Flag) string {
	_, usage := Placeholder(f)
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
		return usage
	}
	return usage + " (default " + f.DefValue + ")"
}
