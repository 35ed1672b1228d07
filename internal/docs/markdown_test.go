package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// fenced is a block of code in a page.
type fenced struct {
	page, language string
	line           int
	text           string
}

// prose is a page without its code; the lines stay where they are.
func prose(text string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
			line = "\n"
		}
		if code {
			line = "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// fences are a page's blocks of code.
func fences(page, text string) (list []fenced) {
	var open *fenced
	n := 0
	for line := range strings.Lines(text) {
		n++
		mark, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &fenced{page: page, language: mark, line: n}
		case isFence:
			list = append(list, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	return list
}

// anchors are the fragments that a page's headings can be linked by, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, id := range slugs(text) {
		found[id] = true
	}
	return found
}

// headings are those of a page.
func headings(text string) (list []string) {
	for line := range strings.Lines(prose(text)) {
		if strings.HasPrefix(line, "#") {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list
}

// slugs are their fragments, in their order.
func slugs(text string) (list []string) {
	for _, h := range headings(text) {
		id := slug(strings.TrimLeft(h, "# "))
		for base, n := id, 1; slices.Contains(list, id); n++ {
			id = fmt.Sprintf("%s-%d", base, n)
		}
		list = append(list, id)
	}
	return list
}

// slug is a heading in small letters, with - for spaces and without punctuation.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		n := 0
		for line := range strings.Lines(prose(read(t, page))) {
			n++
			for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, "code"), -1) {
				if why := broken(t, page, m[1]); why != "" {
					t.Errorf("%s:%d: %s: %s", page, n, m[1], why)
				}
			}
		}
	}
}

// broken says what is wrong with a link; those to other sites are not followed.
func broken(t *testing.T, page, to string) string {
	t.Helper()
	if strings.HasPrefix(to, "https://") {
		return ""
	}
	if strings.Contains(to, "://") {
		return "want a path or https"
	}
	path, fragment, _ := strings.Cut(to, "#")
	target := page
	if path != "" {
		target = filepath.Join(filepath.Dir(page), path)
	}
	if strings.HasPrefix(target, "..") {
		return "leads out of the repository"
	}
	if _, err := os.Stat(filepath.Join(root, target)); err != nil {
		return "no such file"
	}
	if fragment != "" && !anchors(read(t, target))[fragment] {
		return "no such heading in " + target
	}
	return ""
}

func TestSlugsAreGitHubs(t *testing.T) {
	for heading, want := range map[string]string{
		"See it": "see-it", "FIN-WAIT-2": "fin-wait-2", "`call`": "call", "What, and why?": "what-and-why", "Go's backlog": "gos-backlog",
	} {
		if got := slug(heading); got != want {
			t.Errorf("%q: %q, want %q", heading, got, want)
		}
	}
}

// What is folded is Markdown for GitHub only with an empty line after the summary and before the end.
func TestWhatIsFoldedIsClosed(t *testing.T) {
	for _, page := range pages(t) {
		text := read(t, page)
		for _, why := range misfolded(text) {
			t.Errorf("%s:%s", page, why)
		}
	}
	if found := misfolded("<details><summary>a</summary>\nb\n</details>\n\n<details>\n\nc\n\n"); len(found) != 4 {
		t.Errorf("of 4 mistakes these are found: %q", found)
	}
}

func misfolded(text string) (wrong []string) {
	lines := strings.Split(prose(text), "\n")
	open := 0
	say := func(i int, what string) { wrong = append(wrong, fmt.Sprintf("%d: %s", i+1, what)) }
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "<details>"):
			if open > 0 {
				say(i, "folded within what is folded")
			}
			open = i + 1
			if next := line + lines[i+1]; !strings.Contains(next, "<summary>") || !strings.Contains(next, "</summary>") {
				say(i, "no <summary>…</summary>")
			}
		case line == "</details>":
			if open == 0 {
				say(i, "nothing is open")
			}
			if open = 0; lines[i-1] != "" {
				say(i, "want an empty line before it")
			}
		case strings.Contains(line, "details>"):
			say(i, "want it at the beginning of a line")
		}
		if strings.HasSuffix(line, "</summary>") && lines[i+1] != "" {
			say(i, "want an empty line after it")
		}
	}
	if open > 0 {
		say(open-1, "it is not closed")
	}
	return wrong
}
