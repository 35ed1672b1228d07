package help

import (
	"fmt"
	"io"
	"strings"
)

// bash needs nothing of the bash-completion package. It breaks words at "=", too, unless COMP_WORDBREAKS is changed. A
// word that fits none is tried in capitals: states are typed in either.
func (c *Command) bash(w io.Writer) {
	fmt.Fprint(w, c.madeBy("bash"))
	fmt.Fprintf(w, `_%s() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= first= i
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $prev in
`, c.Name)
	for _, f := range c.flags() {
		value, _ := Placeholder(f)
		typed := strings.Join(spellings(f), " | ")
		switch words := justWords(c.Values[value]); {
		case value == file:
			fmt.Fprintf(w, "    %s)\n        compopt -o filenames\n        COMPREPLY=($(compgen -f -- \"$cur\"))\n        return\n        ;;\n", typed)
		case words != "":
			fmt.Fprintf(w, "    %s) words=%s ;;\n", typed, quoted(words))
		}
	}
	fmt.Fprintf(w, `    esac
    if [[ -z $words ]]; then
        for ((i = 1; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in
            %[1]s)
                [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
                ((++i >= COMP_CWORD)) && return
                ;;
            -*) ;;
            *) first=${first:-${COMP_WORDS[i]}} ;;
            esac
        done
        case $cur,$first in
        -*) words=%[2]s ;;
        *,) words=%[3]s ;;
`, strings.Join(c.takingValues(), " | "), quoted(c.allFlags()), quoted(justWords(c.first())))
	if before := c.beforeScenario(); len(before) > 0 {
		fmt.Fprintf(w, "        *,%s) words=%s ;;\n", strings.Join(before, " | *,"), quoted(justWords(c.Values["SCENARIO"])))
	}
	if before := c.beforeFile(); len(before) > 0 {
		fmt.Fprintf(w, "        *,%s)\n            compopt -o filenames\n            COMPREPLY=($(compgen -f -- \"$cur\"))\n            return\n            ;;\n", strings.Join(before, " | *,"))
	}
	fmt.Fprintf(w, `        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -W "$words" -- "${cur^^}"))
}
complete -F _%[1]s %[1]s
`, c.Name)
}
