package help

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// zsh gets each word with what it means. Words may be typed in small letters.
func (c *Command) zsh(w io.Writer) {
	fmt.Fprintf(w, "#compdef %s\n%s", c.Name, c.madeBy("zsh"))
	c.zshWords(w, "first", c.first())
	c.zshWords(w, "scenarios", c.Values["SCENARIO"])
	for _, value := range slices.Sorted(maps.Keys(c.Values)) {
		fmt.Fprintf(w, "_%s_%s() {\n    compadd \"$@\" -M 'm:{a-z}={A-Z}' - %s\n}\n", c.Name, value, justWords(c.Values[value]))
	}
	fmt.Fprintf(w, "_%s_second() {\n    case $line[1] in\n", c.Name)
	for _, before := range c.beforeScenario() {
		fmt.Fprintf(w, "    %s) _%s_scenarios ;;\n", before, c.Name)
	}
	for _, before := range c.beforeFile() {
		fmt.Fprintf(w, "    %s) _files ;;\n", before)
	}
	fmt.Fprintf(w, "    *) _message address ;;\n    esac\n}\n_%s() {\n    local -a line\n    _arguments -S \\\n", c.Name)
	for _, f := range c.flags() {
		for _, typed := range spellings(f) {
			fmt.Fprintf(w, "        %s \\\n", quoted(c.zshFlag(f, typed)))
		}
	}
	fmt.Fprintf(w, "        '1:scenario:_%[1]s_first' \\\n        '*:address:_%[1]s_second'\n}\n", c.Name)
	// Found through fpath the file itself is the function; read with source it only defines it.
	fmt.Fprintf(w, "if [[ $funcstack[1] = _%[1]s ]]; then\n    _%[1]s \"$@\"\nelse\n    compdef _%[1]s %[1]s\nfi\n", c.Name)
}

// zshFlag is one of a flag's spellings, as _arguments reads it.
func (c *Command) zshFlag(f *pflag.Flag, typed string) string {
	value, usage := Placeholder(f)
	spec := "*" + typed
	if value != "" && strings.HasPrefix(typed, "--") {
		spec += "="
	}
	spec += "[" + strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(usage) + "]"
	switch {
	case value == file:
		spec += ":" + value + ":_files"
	case c.Values[value] != nil:
		spec += ":" + value + ":_" + c.Name + "_" + value
	case value != "":
		spec += ":" + value + ": "
	}
	return spec
}

func (c *Command) zshWords(w io.Writer, name string, words []Word) {
	fmt.Fprintf(w, "_%s_%s() {\n    local -a words=(\n", c.Name, name)
	for _, word := range words {
		fmt.Fprintf(w, "        %s\n", quoted(strings.ReplaceAll(word.Word, ":", `\:`)+":"+word.Means))
	}
	fmt.Fprintf(w, "    )\n    _describe -t %s %[1]s words\n}\n", name)
}
