package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// block is what stands between <!-- run: … --> or <!-- table: … --> and <!-- end -->.
type block struct {
	page string
	line int    // of the opening comment
	kind string // "run", "table" or "example"
	show int    // which of the terminals is shown, from 1
	what string // what was run, or the table's name
	body string // without the fence, of a run
	note string // what follows the #, and what it says:
	noted
}

var (
	opening = regexp.MustCompile(`^<!-- (run|table|example)(?: (\d) of)?: (.*?)(?: +# (.*))? -->$`)
	closing = "<!-- end -->"
)

// blocks finds those of a page; a comment that is opened and not closed is an error. What stands in code is not looked
// at.
func blocks(page, text string) (list []block, err error) {
	all := strings.Split(text, "\n")
	code := false
	for i := 0; i < len(all); i++ {
		if strings.HasPrefix(all[i], "```") {
			code = !code
		}
		m := opening.FindStringSubmatch(all[i])
		if m == nil || code {
			continue
		}
		b := block{page: page, line: i + 1, kind: m[1], show: 1, what: m[3], note: m[4]}
		fmt.Sscan(m[2], &b.show)
		var err error
		if b.noted, err = readNote(b.note); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", page, b.line, err)
		}
		body := upToEnd(all[i+1:])
		if i+1+len(body) == len(all) || slices.ContainsFunc(body, opening.MatchString) {
			return nil, fmt.Errorf("%s:%d: no %s follows", page, b.line, closing)
		}
		b.body = unfence(strings.Join(body, "\n") + "\n")
		list = append(list, b)
		i += len(body)
	}
	return list, nil
}

// fence is what a transcript or an example stands in.
func fence(kind, body string) string {
	switch kind {
	case "run":
		return "```text\n" + body + "```\n"
	case "example":
		return "```json\n" + body + "```\n"
	}
	return "\n" + body + "\n"
}

// unfence takes the fence away, if there is one, and empty lines around.
func unfence(s string) string {
	s = strings.Trim(s, "\n") + "\n"
	if first, rest, ok := strings.Cut(s, "\n"); ok && strings.HasPrefix(first, "```") {
		s = strings.TrimSuffix(rest, "```\n")
	}
	if s == "\n" {
		return ""
	}
	return s
}

// isAsked tells a page that -page asks for: the English one, its translation, or every page.
func isAsked(p string) bool { return *page == "" || *page == p || *page == original(p) }

// all returns the blocks of a kind, of all pages or of the one that was asked for and its translation.
func all(t *testing.T, kind string) (list []block) {
	t.Helper()
	for _, p := range pages(t) {
		if !isAsked(p) {
			continue
		}
		found, err := blocks(p, read(t, p))
		if err != nil {
			t.Error(err)
		}
		for _, b := range found {
			if b.kind == kind {
				list = append(list, b)
			}
		}
	}
	return list
}

var writing sync.Mutex

// rewrite puts another body in the block's place.
func (b block) rewrite(t *testing.T, body string) {
	t.Helper()
	writing.Lock()
	defer writing.Unlock()
	lines := strings.Split(read(t, b.page), "\n")
	for i, line := range lines { // other blocks of the page may have become longer since it was read
		if line != b.comment() || unfence(strings.Join(upToEnd(lines[i+1:]), "\n")+"\n") != b.body {
			continue
		}
		text := strings.Join(lines[:i+1], "\n") + "\n" + fence(b.kind, body) +
			strings.Join(lines[i+1+len(upToEnd(lines[i+1:])):], "\n")
		if err := os.WriteFile(filepath.Join(root, b.page), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: written", b)
		return
	}
	t.Errorf("%s: it changed meanwhile", b)
}

func upToEnd(lines []string) []string {
	for i, line := range lines {
		if line == closing {
			return lines[:i]
		}
	}
	return lines
}

// comment is the line that opens the block.
func (b block) comment() string {
	which, note := "", ""
	if commands, _ := commandsOf(b.what); len(commands) > 1 {
		which = fmt.Sprintf(" %d of", b.show)
	}
	if b.note != "" {
		note = "  # " + b.note
	}
	return fmt.Sprintf("<!-- %s%s: %s%s -->", b.kind, which, b.what, note)
}

func (b block) String() string { return fmt.Sprintf("%s:%d: %s", b.page, b.line, b.what) }

func TestBlocksAreFound(t *testing.T) {
	text := "a\n<!-- run: echoc x -->\n```text\none\n\ntwo\n```\n<!-- end -->\n" +
		"<!-- run 2 of: echod x & echoc x  # exit 3 -->\n<!-- end -->\n<!-- table: t -->\n\n| a |\n\n<!-- end -->\n"
	list, err := blocks("p", text)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d blocks, %v", len(list), err)
	}
	if b := list[0]; b.body != "one\n\ntwo\n" || b.what != "echoc x" || b.show != 1 || b.comment() != "<!-- run: echoc x -->" {
		t.Errorf("%+v", b)
	}
	if b := list[1]; b.body != "" || b.show != 2 || b.exit != 3 || b.what != "echod x & echoc x" ||
		b.comment() != "<!-- run 2 of: echod x & echoc x  # exit 3 -->" {
		t.Errorf("%+v", b)
	}
	if b := list[2]; b.body != "| a |\n" || b.kind != "table" {
		t.Errorf("%+v", b)
	}
	folded := "<details><summary>The whole run</summary>\n\n" + text + "\n</details>\n"
	if list, err := blocks("p", folded); err != nil || len(list) != 3 || list[0].body != "one\n\ntwo\n" {
		t.Errorf("what is folded: %d blocks, %v", len(list), err)
	}
	if _, err := blocks("p", "<!-- run: x -->\n<!-- run: y -->\n<!-- end -->\n"); err == nil {
		t.Error("a block that is not closed is no error")
	}
}
