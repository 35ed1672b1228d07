package help

import (
	"fmt"
	"io"
	"strings"
)

// fish gets each word with what it means. It ignores case by itself.
func (c *Command) fish(w io.Writer) {
	fmt.Fprint(w, c.madeBy("fish"))
	fmt.Fprintf(w, `function __%s_words
    set -l value 0
    for word in (commandline -opc)[2..-1]
        if test $value = 1
            set value 0
            continue
        end
        switch $word
            case %s
                set value 1
            case '-*'
            case '*'
                echo $word
        end
    end
end
complete -c %[1]s -f
`, c.Name, strings.Join(c.takingValues(), " "))
	for _, f := range c.flags() {
		value, usage := Placeholder(f)
		line := fmt.Sprintf("complete -c %s -l %s", c.Name, f.Name)
		if f.Shorthand != "" {
			line += " -s " + f.Shorthand
		}
		switch words := justWords(c.Values[value]); {
		case value == file:
			line += " -r -F"
		case value != "":
			line += " -x -a " + fishQuoted(words)
		}
		fmt.Fprintf(w, "%s -d %s\n", line, fishQuoted(usage))
	}
	for _, word := range c.first() {
		fmt.Fprintf(w, "complete -c %s -n 'test (count (__%[1]s_words)) = 0' -a %s -d %s\n", c.Name, word.Word, fishQuoted(word.Means))
	}
	for _, before := range c.beforeScenario() {
		for _, word := range c.Values["SCENARIO"] {
			fmt.Fprintf(w, "complete -c %s -n 'test (count (__%[1]s_words)) = 1; and contains %[2]s (__%[1]s_words)' -a %[3]s -d %[4]s\n", c.Name, before, word.Word, fishQuoted(word.Means))
		}
	}
	for _, before := range c.beforeFile() {
		fmt.Fprintf(w, "complete -c %s -n 'contains %s (__%[1]s_words)' -F\n", c.Name, before)
	}
}

func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
