package help

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Man writes the manual page, in the man macros of roff (man(7)).
func (c *Command) Man(w io.Writer) {
	r := &roff{w}
	fmt.Fprintf(w, ".\\\" Made from the command's flags: %s --man\n", c.Name)
	fmt.Fprintf(w, ".TH %s 1\n", strings.ToUpper(c.Name))
	r.section("NAME")
	r.text(c.Name + " - " + c.What)
	r.section("SYNOPSIS")
	for i, m := range c.Modes {
		if i > 0 {
			fmt.Fprintln(w, ".br")
		}
		r.typed(c.call(m))
	}
	r.section("DESCRIPTION")
	r.text(c.About)
	r.section("MODES")
	for _, m := range c.Modes {
		r.synopsis(c.call(m), m.Does)
	}
	fmt.Fprintln(w, ".PP")
	r.text(anywhere)
	r.section("OPTIONS")
	for _, g := range c.Groups {
		fmt.Fprintf(w, ".SS %s\n", escape(g.Title))
		for _, f := range g.Flags {
			r.synopsis(names(f), does(f))
		}
	}
	r.entries("HOW IT IS WRITTEN", c.Terms)
	r.entries("RULES", c.Rules)
	r.entries("SCENARIOS", c.Values["SCENARIO"])
	r.entries("EXIT STATUS", c.Exits)
	r.entries("ENVIRONMENT", c.Environ)
	r.section("EXAMPLES")
	for _, e := range c.Examples {
		r.entry(e.Word, e.Means)
	}
	r.section("SEE ALSO")
	r.text(c.SeeAlso)
}

// roff is where a manual page is written to.
type roff struct{ w io.Writer }

func (r *roff) section(name string) { fmt.Fprintf(r.w, ".SH %s\n", name) }

func (r *roff) entries(section string, words []Word) {
	if len(words) == 0 {
		return
	}
	r.section(section)
	for _, w := range words {
		r.entry(w.Word, w.Means)
	}
}

// entry is a word in bold, and below it what it means.
func (r *roff) entry(word, means string) {
	fmt.Fprintf(r.w, ".TP\n\\fB%s\\fR\n", escape(word))
	r.text(means)
}

// placeholders stand for what is typed.
var placeholders = regexp.MustCompile(`\b[A-Z]+(\\-[A-Z]+)?\b`)

// synopsis is an entry whose placeholders are in italics.
func (r *roff) synopsis(typed, means string) {
	fmt.Fprintln(r.w, ".TP")
	r.typed(typed)
	r.text(means)
}

func (r *roff) typed(s string) {
	fmt.Fprintf(r.w, "\\fB%s\\fR\n", placeholders.ReplaceAllString(escape(s), `\fI$0\fB`))
}

func (r *roff) text(s string) { fmt.Fprintln(r.w, escape(s)) }

// escape has roff print s as it is: hyphens that can be copied, no requests, no escape sequences; and quotes that are
// those of the keyboard.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
