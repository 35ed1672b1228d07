package figure

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Whatever a peer sent or a record has: the SVG is well-formed and has no more in it than what is drawn, and Mermaid
// has no line that is not ours.
func FuzzFigures(f *testing.F) {
	for _, s := range attacks {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := hostile(s)
		wellFormed(t, asSVG(t, l))
		onlyOurs(t, asMermaid(t, l))
	})
}

// elements are all that a figure is made of.
var elements = map[string]bool{"svg": true, "title": true, "desc": true, "style": true, "rect": true, "path": true, "text": true, "g": true}

// wellFormed reads an SVG as XML, and refuses what is no drawing.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	for _, r := range svg {
		if unicode.IsControl(r) && r != '\n' {
			t.Fatalf("a control character: %q", r)
		}
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	d.Strict = true
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !elements[e.Name.Local] {
				t.Fatalf("an element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || strings.Contains(a.Value, "url(") {
					t.Fatalf("an attribute %s=%q", a.Name.Local, a.Value)
				}
			}
		case xml.Comment, xml.Directive:
			t.Fatalf("a comment or a directive: %v", e)
		}
	}
}

// ours are the lines that Mermaid's two diagrams are made of; a text in them has no character that Mermaid reads.
var ours = regexp.MustCompile("^(" + strings.Join([]string{
	"", "```mermaid", "```", "sequenceDiagram", "stateDiagram-v2", " +}", `    title TEXT`, `    participant (client|server) as TEXT`, `    (de)?activate (client|server)`,
	`    Note over (client|server|client,server): TEXT(<br/>TEXT)*`, `    (client|server)--?(>>|x|\))(client|server): TEXT`,
	`    state "(client|server)" as (client|server) {`, ` +state "[A-Z0-9()a-z -]+" as \w+`, `        (\w+|\[\*\]) --> \w+( : TEXT)?`, `    classDef unseen stroke-dasharray: 5 5`, `    class \w+ unseen`,
}, "|") + ")$")

func init() {
	ours = regexp.MustCompile(strings.ReplaceAll(ours.String(), "TEXT", `([A-Za-z0-9_=|+ ().,/→-]|#[0-9]+;)*`))
}

func onlyOurs(t *testing.T, md string) {
	t.Helper()
	if n := strings.Count(md, "```"); n != 4 {
		t.Fatalf("%d fences, want 4", n)
	}
	for line := range strings.Lines(md) {
		if !ours.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Fatalf("a line that is none of ours: %q", line)
		}
	}
}
