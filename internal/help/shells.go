package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// Shells are those that Completion is for.
var Shells = []string{"bash", "zsh", "fish"}

// Completion writes what a shell needs to complete the command's words, and tells whether it is one of Shells.
func (c *Command) Completion(w io.Writer, shell string) bool {
	write := map[string]func(io.Writer){"bash": c.bash, "zsh": c.zsh, "fish": c.fish}[shell]
	if write != nil {
		write(w)
	}
	return write != nil
}

// spellings are the ways to type a flag: --quiet, -q.
func spellings(f *pflag.Flag) []string {
	if f.Shorthand == "" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, "-" + f.Shorthand}
}

// takingValues are the flags that take a value, as they are typed.
func (c *Command) takingValues() (typed []string) {
	for _, f := range c.flags() {
		if value, _ := Placeholder(f); value != "" {
			typed = append(typed, spellings(f)...)
		}
	}
	return typed
}

// file is the placeholder of a file's name.
const file = "FILE"

func justWords(words []Word) string {
	var list []string
	for _, w := range words {
		list = append(list, w.Word)
	}
	return strings.Join(list, " ")
}

// quoted is s between single quotes, for a POSIX shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// madeBy is the first comment of a script.
func (c *Command) madeBy(shell string) string {
	return fmt.Sprintf("# Completion of %s for %s, made from its flags: %[1]s --completion %[2]s\n", c.Name, shell)
}

func (c *Command) allFlags() string {
	var typed []string
	for _, f := range c.flags() {
		typed = append(typed, spellings(f)...)
	}
	return strings.Join(typed, " ")
}
