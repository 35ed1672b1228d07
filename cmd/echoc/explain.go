package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"socklife/docs"
	"socklife/internal/cli"
	"socklife/internal/explain"
	"socklife/internal/scenario"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// kind is one sort of words that --explain takes. A word may be of several: close is a scenario and a call.
type kind struct {
	what  string // a TCP state
	names func() []string
	find  func(word string) string // the word's proper name; "" if it is none of these
	show  func(e *explainer, name string)
}

// kinds in the order in which a word is looked up.
var kinds = []kind{
	{"a scenario (its page)", scenarioNames, exactly(scenarioNames), (*explainer).scenario},
	{"a TCP state", stateNames, findState, (*explainer).state},
	{"an error of a call", names(explain.Errnos, func(x explain.Errno) string { return x.Name }), findErrno, (*explainer).errno},
	{"a timer of the kernel", timerNames, findTimer, (*explainer).timers},
	{"a socket option", names(explain.Options, func(x explain.Option) string { return x.Name }), findOption, (*explainer).option},
	{"a call", names(explain.Calls, func(x explain.Call) string { return x.Name + "()" }), findCall, (*explainer).call},
	{"a counter of the kernel", explain.Counters, findCounter, (*explainer).counter},
	{"what echoc watch finds", names(explain.Findings, func(x explain.Finding) string { return x.Name }), findFinding, (*explainer).finding},
	{"a sysctl", names(explain.Sysctls, func(x explain.Sysctl) string { return x.Name }), findSysctl, (*explainer).sysctl},
}

// explainWord says what a word means, in every sense that it has here: in full in the first, and of the others under
// which name they are found. Without a word it lists all that can be asked for.
func explainWord(w io.Writer, word string, o view.Options) error {
	e := &explainer{w: w, o: o}
	if word == "" {
		e.list()
		return nil
	}
	var also []string
	found := false
	for _, k := range kinds {
		name := k.find(word)
		switch {
		case name == "":
		case found:
			also = append(also, fmt.Sprintf("%s, %s: echoc --explain %s", name, k.what, quoted(name)))
		default:
			found = true
			k.show(e, name)
		}
	}
	if len(also) > 0 {
		fmt.Fprintln(w)
		e.wrapped("Also: "+strings.Join(also, "; "), 2)
	}
	if found {
		return nil
	}
	var all, what []string
	for _, k := range kinds {
		all, what = append(all, k.names()...), append(what, k.what)
	}
	if strings.ContainsAny(word, "_.") && e.mentioned(word) { // a function of the kernel
		return nil
	}
	if near := scenario.NearestOf(word, all); near != "" {
		return cli.Usagef("--explain %s: did you mean %s?", word, near)
	}
	if e.mentioned(word) {
		return nil
	}
	return cli.Usagef("--explain %s: not explained; it takes %s or %s: echoc --explain lists them",
		word, strings.Join(what[:len(what)-1], ", "), what[len(what)-1])
}

// orWhichWords gives --explain an empty word where none follows: which words are there? The flag of a socket option is
// one.
func orWhichWords(args []string) []string {
	i := slices.Index(args, "--explain") + 1
	if i == 0 || i < len(args) && (!strings.HasPrefix(args[i], "-") || explain.FindOption(args[i]) != nil) {
		return args
	}
	return slices.Insert(slices.Clone(args), i, "")
}

// completed are the words that a shell can complete: each one word, with nothing in it that means something to a shell.
func completed() (words []string) {
	for _, k := range kinds {
		for _, name := range k.names() {
			if name = strings.TrimSuffix(name, "()"); !strings.ContainsAny(name, "() '") && !slices.Contains(words, name) {
				words = append(words, name)
			}
		}
	}
	return words
}

// quoted is a word as a shell takes it.
func quoted(name string) string {
	if strings.ContainsAny(name, "() '") {
		return `"` + name + `"`
	}
	return name
}

// list is every word, by kind.
func (e *explainer) list() {
	e.wrapped("echoc --explain WORD takes", 0)
	for _, k := range kinds {
		fmt.Fprintln(e.w)
		e.wrapped(k.what+":", 0)
		var words []string
		for _, name := range k.names() {
			words = append(words, strings.ReplaceAll(name, " ", "\u00a0"))
		}
		e.wrapped("  "+strings.Join(words, ", "), 2)
	}
}

func names[T any](all func() []T, name func(T) string) func() []string {
	return func() (list []string) {
		for _, x := range all() {
			list = append(list, name(x))
		}
		return list
	}
}

func exactly(names func() []string) func(string) string {
	return func(word string) string {
		if slices.Contains(names(), word) {
			return word
		}
		return ""
	}
}

func scenarioNames() (names []string) {
	for _, sc := range scenario.All() {
		if docs.Scenario(sc.Name) != "" {
			names = append(names, sc.Name)
		}
	}
	return names
}

func stateNames() (names []string) {
	for s := tcpinfo.Established; s <= tcpinfo.Closing; s++ {
		names = append(names, s.String())
	}
	return names
}

// findState knows the names of RFC 9293, of ss and of the kernel. What the kernel alone tells apart is the RFC's. The
// word timewait, in small letters, is what ss calls a timer.
func findState(word string) string {
	state, err := tcpinfo.ParseState(word)
	if err != nil || word == tcpinfo.TimerTimeWait.String() {
		return ""
	}
	state, _ = tcpinfo.ParseState(state.String())
	return state.String()
}

func findErrno(word string) string {
	if e := explain.FindErrno(word); e != nil {
		return e.Name
	}
	return ""
}

func timerNames() (names []string) {
	for _, t := range explain.Timers() {
		for _, name := range []string{t.Name, t.Kernel} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// findTimer keeps the word, which may stand for several.
func findTimer(word string) string {
	switch found := explain.FindTimers(word); {
	case len(found) == 0:
		return ""
	case len(found) == 1:
		return found[0].Name
	}
	return strings.ToLower(word)
}

func findOption(word string) string {
	if o := explain.FindOption(word); o != nil {
		return o.Name
	}
	return ""
}

func findCall(word string) string {
	if c := explain.FindCall(word); c != nil {
		return c.Name + "()"
	}
	return ""
}

func findCounter(word string) string {
	name, _ := explain.Counter(word)
	return name
}

func findSysctl(word string) string {
	if s := explain.FindSysctl(word); s != nil {
		return s.Name
	}
	return ""
}

func findFinding(word string) string {
	if f := explain.FindFinding(word); f != nil {
		return f.Name
	}
	return ""
}
