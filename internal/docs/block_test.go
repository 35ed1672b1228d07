package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	note string // what follows the #
	root bool   // an ordinary user is shown less
	exit int    // the status it ends with
	from string // only the lines from the first with this
	to   string // to the next with this
	only *regexp.Regexp
	body string // without the fence, of a run
}

var (
	opening = regexp.MustCompile(`^<!-- (run|table|example)(?: (\d) of)?: (.*?)(?: +# (.*))? -->$`)
	exits   = regexp.MustCompile(`^exit (\d+)$`)
	excerpt = regexp.MustCompile(`^from "(.*)" to "(.*)"$`)
	lines   = regexp.MustCompile(`^only "(.*)"$`)
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
		if err := b.readNote(); err != nil {
			return nil, err
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

// readNote reads what follows the #.
func (b *block) readNote() (err error) {
	note, asRoot := strings.CutPrefix(b.note, "as root")
	if asRoot {
		b.root, note = true, strings.TrimPrefix(note, "; ")
	}
	if m := exits.FindStringSubmatch(note); m != nil {
		b.exit, err = strconv.Atoi(m[1])
	} else if m := excerpt.FindStringSubmatch(note); m != nil {
		b.from, b.to = m[1], m[2]
	} else if m := lines.FindStringSubmatch(note); m != nil {
		b.only, err = regexp.Compile(m[1])
	} else if note != "" {
		err = fmt.Errorf("%s:%d: %s: what is that?", b.page, b.line, note)
	}
	return err
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

// all returns the blocks of a kind, of all pages.
func all(t *testing.T, kind string) (list []block) {
	t.Helper()
	for _, page := range pages(t) {
		found, err := blocks(page, read(t, page))
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
	if strings.Contains(b.what, " & ") {
		which = fmt.Sprintf(" %d of", b.show)
	}
	if b.note != "" {
		note = "  # " + b.note
	}
	return fmt.Sprintf("<!-- %s%s: %s%s -->", b.kind, which, b.what, note)
}

// isPart tells a block that shows a part of a run.
func (b block) isPart() bool { return b.from != "" || b.only != nil }

// cut is what the block shows of a run: all, or below the lanes' names the lines in question.
func (b block) cut(text string) string {
	if !b.isPart() {
		return text
	}
	const gap = "  …\n"
	head, rest := lanesHead(text)
	if head != "" {
		head += gap
	}
	if b.only != nil {
		kept, goesOn := "", false
		for line := range strings.Lines(rest) {
			if goesOn || b.only.MatchString(line) {
				kept += line
				goesOn = strings.Contains(line, "<") && !strings.Contains(line, ">") // a list of options
			}
		}
		return head + kept
	}
	begin := strings.Index(rest, b.from)
	if begin < 0 {
		return head
	}
	rest = rest[strings.LastIndexByte(rest[:begin], '\n')+1:]
	end := strings.Index(rest, b.to)
	if end < 0 {
		return head + rest
	}
	end += strings.IndexByte(rest[end:], '\n') + 1
	for end < len(rest) && goesOn(rest[end:]) {
		end += strings.IndexByte(rest[end:], '\n') + 1
	}
	if end == len(rest) {
		return head + rest
	}
	return head + rest[:end] + gap
}

// goesOn tells whether the first line is the rest of what stands above it: it has no time, and nothing begins in it.
func goesOn(rest string) bool {
	line, _, _ := strings.Cut(rest, "\n")
	runes := []rune(line)
	if strings.TrimSpace(line) == "" || len(runes) <= timeWide || strings.TrimSpace(string(runes[:timeWide])) != "" {
		return false
	}
	for _, c := range []string{cell(runes, timeWide, between), cell(runes, right, len(runes))} {
		if c != "" && indent(c) < 2 {
			return false
		}
	}
	return true
}

// lanesHead are the lines with the lanes' names, and what follows them.
func lanesHead(text string) (head, rest string) {
	i := strings.Index(text, "       ms client")
	if i < 0 {
		return "", text
	}
	head, rest, _ = strings.Cut(text[i:], "\n")
	for head += "\n"; strings.Count(head, "(") > strings.Count(head, ")"); { // a name that goes on in the next line
		more, after, _ := strings.Cut(rest, "\n")
		head, rest = head+more+"\n", after
	}
	return head, rest
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
	if _, err := blocks("p", "<!-- run: x -->\n<!-- run: y -->\n<!-- end -->\n"); err == nil {
		t.Error("a block that is not closed is no error")
	}
}
