package cli

import (
	"slices"

	"github.com/spf13/pflag"

	"socklife/internal/help"
	"socklife/internal/scenario"
)

var colours = []string{"auto", "always", "never"}

var clocks = []string{"run", "wall"}

// describe completes what a command says of itself with what both have.
func (f *Flags) describe(about help.Command) *help.Command {
	c := &about
	c.Name = f.Set.Name()
	for _, g := range groups {
		c.Groups = appendGroup(c.Groups, string(g), f.In(g), func(*pflag.Flag) bool { return true })
	}
	c.Groups = appendGroup(c.Groups, "Other", f.Set, func(fl *pflag.Flag) bool { // declared in no group, which a test finds
		return !slices.ContainsFunc(c.Groups, func(g help.Group) bool { return slices.Contains(g.Flags, fl) })
	})
	c.Terms = terms
	if f.In(GroupWire).HasFlags() {
		c.Terms, c.Rules = append(slices.Clip(terms), ruleTerms...), ruleParts
	}
	c.Exits, c.Environ = exits, environment
	values := map[string][]help.Word{"WHEN": justWords(colours...), "CLOCK": justWords(clocks...), "SHELL": justWords(help.Shells...)}
	for _, sc := range scenario.All() {
		values["SCENARIO"] = append(values["SCENARIO"], help.Word{Word: sc.Name, Means: shows(sc)})
	}
	for name, words := range c.Values {
		values[name] = words
	}
	c.Values = values
	return c
}

// appendGroup appends those flags of a set that belong, if there are any.
func appendGroup(list []help.Group, title string, of *pflag.FlagSet, belongs func(*pflag.Flag) bool) []help.Group {
	group := help.Group{Title: title}
	of.VisitAll(func(fl *pflag.Flag) {
		if belongs(fl) {
			group.Flags = append(group.Flags, fl)
		}
	})
	if len(group.Flags) == 0 {
		return list
	}
	return append(list, group)
}

func justWords(list ...string) (words []help.Word) {
	for _, w := range list {
		words = append(words, help.Word{Word: w})
	}
	return words
}

var terms = []help.Word{
	{Word: "ADDR", Means: "HOST:PORT, [IPV6]:PORT, :PORT (this host), or HOST alone, which means port " + defaultPort},
	{Word: "DURATION", Means: "400ms, 5s, 1m30s"},
}

var ruleTerms = []help.Word{
	{Word: "RULE", Means: `[client|server] WHAT [WHICH] [after WHAT [N]], as "client fin 1": which segments`},
	{Word: "WHAT", Means: "syn, fin, rst, psh, urg, ack, joined with +; data, data>=1000, bytes 1..100; new, again, port N"},
	{Word: "WHICH", Means: "1, 2..3, 2.., every 20; without it, all. The whole grammar: docs/reference.md, and echoc --man"},
	{Word: "SYSCTL", Means: "NAME=VALUE, client:NAME=VALUE or server:NAME=VALUE, as net.ipv4.tcp_sack=0"},
}

// ruleParts are the parts of a rule in full, for the manual page. docs/reference.md has the same table.
var ruleParts = []help.Word{
	{Word: "[client|server|any] what [which] [after what [number]] [times N] [by N] [within TIME]", Means: "a rule; the flag is the action."},
	{Word: "client, server", Means: `the side that sends; without it, or with "any", either. Alone it is all that this side sends`},
	{Word: "syn, fin, rst, psh, urg, ack", Means: `flags, joined with "+". "syn" alone has no ACK; "ack" alone is a pure acknowledgement`},
	{Word: "data, data>=1000", Means: "it carries data, or so much"},
	{Word: "bytes 1..100", Means: "it carries any of these bytes of its side's stream, whose first is 1"},
	{Word: "new, again", Means: "it is no retransmission, or it is one"},
	{Word: "port 7007", Means: "one of its ports"},
	{Word: "unreachable", Means: `ICMP's "destination unreachable"`},
	{Word: "1, 2..3, 2.., every 20", Means: "which of those that fit: the first, the second and third, all but the first, every twentieth; without it, all"},
	{Word: "after what", Means: "counting begins after the first that fits this"},
	{Word: "times 3", Means: "with --dup: so many copies; without it, one"},
	{Word: "by 2, within 200ms", Means: "with --reorder: after so many later ones, or after this time at the latest; without it, one, and 100 ms"},
}

var exits = []help.Word{
	{Word: "0", Means: "all that was expected came"},
	{Word: "1", Means: "something did not, or an error"},
	{Word: "2", Means: "a mistake on the command line"},
	{Word: "3", Means: "this kernel, or this user, cannot do it; the message says what is missing"},
	{Word: "130", Means: "interrupted"},
}

var environment = []help.Word{
	{Word: "NO_COLOR", Means: "if it is set and not empty, --color auto means never."},
	{Word: "COLUMNS", Means: "how wide lines may be where the output is no terminal; a terminal is asked itself."},
	{Word: "TERM", Means: "dumb: no colour."},
	{Word: "LC_ALL, LC_CTYPE, LANG", Means: "where the first that is set does not say UTF-8, the output is ASCII."},
}
