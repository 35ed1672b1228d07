package docs

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/zh-CN/ has pages in Chinese, under the names of the English ones. The first line of each says which page it was
// translated from, and the fingerprint that the page had then:
//
//	<!-- translation of: docs/states.md 0123456789ab -->
//
// When the English page says something else than it did, the translation is behind, and tells its readers so below its
// heading: go test ./internal/docs -run Chinese -update writes that. When it has been translated anew,
//
//	go test ./internal/docs -run Chinese -update -translated docs/zh-CN/states.md
//
// writes the new fingerprint. A page that is not behind has the same headings, runs, tables, pictures, links, code and
// numbers (translated_test.go).
const chineseDir = "docs/zh-CN/"

// chinese are the pages that must be there.
var chinese = []string{
	"README.md",
	"walkthrough.md",
	"states.md",
	"textbook.md",
	"questions.md",
	"symptoms.md",
	"scenarios/handshake.md",
	"scenarios/backlog.md",
	"scenarios/half-close.md",
	"scenarios/close.md",
	"scenarios/time-wait.md",
	"scenarios/close-wait-leak.md",
}

// behindNotice stands on a page that is behind.
const behindNotice = "> **本页落后于英文版**：英文版在翻译之后有改动，请以英文版为准。"

// translated is a page that says again what the English one says, which only who has read both can know.
var translated = flag.String("translated", "", "with -update: this page, such as docs/zh-CN/states.md, is up to date with the English one")

var translationOf = regexp.MustCompile(`^<!-- translation of: (\S+) ([0-9a-f]{12}) -->\n`)

// original is the English page of a Chinese one; "" for any other page.
func original(page string) string {
	name, ok := strings.CutPrefix(page, chineseDir)
	switch {
	case !ok:
		return ""
	case name == "README.md":
		return name
	}
	return "docs/" + name
}

// chineseOf is the Chinese page of an English one; "" if there is none.
func chineseOf(page string) string {
	name := chineseDir + strings.TrimPrefix(page, "docs/")
	if _, err := os.Stat(filepath.Join(root, name)); err != nil || original(name) != page {
		return ""
	}
	return name
}

// fingerprint is of what a page says: not of its blocks, which are the same in both languages, of where its lines end,
// or of where links lead.
func fingerprint(text string) string {
	text = linkTarget.ReplaceAllString(withoutBlocks(text), "]")
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	return hex.EncodeToString(sum[:6])
}

// withoutBlocks is a page without its runs, tables and examples; the lines stay where they are.
func withoutBlocks(text string) string {
	all := strings.Split(text, "\n")
	code := false
	for i := 0; i < len(all); i++ {
		if strings.HasPrefix(all[i], "```") {
			code = !code
		}
		if !code && opening.MatchString(all[i]) {
			n := len(upToEnd(all[i:]))
			clear(all[i:min(i+n+1, len(all))])
			i += n
		}
	}
	return strings.Join(all, "\n")
}

// isBehind tells whether the English page has changed since this one was translated from it.
func isBehind(text, english string) bool {
	m := translationOf.FindStringSubmatch(text)
	return m == nil || m[2] != fingerprint(english)
}

// chinesePages are those that are there.
func chinesePages(t *testing.T) []string {
	return slices.DeleteFunc(pages(t), func(p string) bool { return original(p) == "" })
}

func TestTheChinesePagesAreThere(t *testing.T) {
	there := chinesePages(t)
	for _, name := range chinese {
		if !slices.Contains(there, chineseDir+name) {
			t.Errorf("there is no %s", chineseDir+name)
		}
	}
	if len(chinese) > 0 && !strings.Contains(strings.Join(strings.SplitN(read(t, "README.md"), "\n", 6)[:5], "\n"), "[简体中文]("+chineseDir+"README.md)") {
		t.Errorf("README.md does not lead to %sREADME.md at its top", chineseDir)
	}
}

// Each Chinese page says what it was translated from, and whether that has changed. With -v, which are behind.
func TestAChinesePageSaysWhenItIsBehind(t *testing.T) {
	for _, page := range chinesePages(t) {
		text, english := read(t, page), original(page)
		if _, err := os.Stat(filepath.Join(root, english)); err != nil {
			t.Errorf("%s: there is no %s", page, english)
			continue
		}
		now := fingerprint(read(t, english))
		if *update && page == *translated {
			text = translationOf.ReplaceAllString(text, fmt.Sprintf("<!-- translation of: %s %s -->\n", english, now))
			write(t, page, text)
		}
		why := wrongAboutItself(page, text, now)
		switch m := translationOf.FindStringSubmatch(text); {
		case m != nil && m[2] != now:
			t.Logf("%s is behind %s, whose fingerprint is now %s", page, english, now)
		}
		if why != "" && *update {
			if mended := withNotice(text, now); mended != text {
				t.Logf("%s: %s: mended", page, why)
				write(t, page, mended)
				why = wrongAboutItself(page, mended, now)
			}
		}
		if why != "" {
			t.Errorf("%s: %s\ngo test ./internal/docs -run Chinese -update writes the notice, or takes it away. When the page says what %s says:\n"+
				"go test ./internal/docs -run Chinese -update -translated %[1]s   (its first line is then <!-- translation of: %[3]s %s -->)", page, why, english, now)
		}
	}
}

// wrongAboutItself is what a Chinese page does not say, or says wrongly, of itself. now is the English one's
// fingerprint.
func wrongAboutItself(page, text, now string) string {
	m := translationOf.FindStringSubmatch(text)
	lines := strings.SplitN(text, "\n", 8)
	top := strings.Join(lines[:min(7, len(lines))], "\n")
	back, _ := filepath.Rel(filepath.Dir(page), original(page))
	switch says := strings.Contains(text, "本页落后于英文版"); {
	case m == nil:
		return "its first line does not say what it was translated from"
	case m[1] != original(page):
		return "it cannot be a translation of " + m[1]
	case len(lines) < 4 || !strings.HasPrefix(lines[1], "# ") || !strings.Contains(lines[3], "[English]("+back+")"):
		return "want its heading in line 2, and in line 4 [English](" + back + ")"
	case m[2] != now && !says:
		return "it is behind, and does not say so"
	case m[2] == now && says:
		return "it is not behind, and says it is"
	case says && !strings.Contains(top, behindNotice):
		return "want in line 6: " + behindNotice
	}
	return ""
}

// withNotice puts the notice below the page's heading, or takes it away.
func withNotice(text, now string) string {
	m := translationOf.FindStringSubmatch(text)
	lines := strings.SplitAfterN(text, "\n", 6)
	switch {
	case m == nil || len(lines) < 6:
		return text
	case m[2] == now:
		return strings.Replace(text, behindNotice+"\n\n", "", 1)
	case strings.Contains(text, behindNotice):
		return text
	}
	return strings.Join(lines[:5], "") + behindNotice + "\n\n" + lines[5]
}

func write(t *testing.T, page, text string) {
	t.Helper()
	writing.Lock()
	defer writing.Unlock()
	if err := os.WriteFile(filepath.Join(root, page), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A page that is behind and does not say so is found, and one that says so and is not.
func TestTheNoticeIsHeld(t *testing.T) {
	t.Parallel()
	english := "# States\n\nThere are [eleven](a.md).\n\n<!-- run: echoc close -->\n```text\n1\n```\n<!-- end -->\n"
	now := fingerprint(english)
	for what, same := range map[string]string{
		"a new run":     strings.Replace(english, "\n1\n", "\n2\n# not a heading\n", 1),
		"another note":  strings.Replace(english, "close -->", "close  # lanes -->", 1),
		"other lines":   strings.Replace(english, "There are", "There\nare", 1),
		"a link's path": strings.Replace(english, "a.md", "b.md", 1),
	} {
		if fingerprint(same) != now {
			t.Errorf("%s makes another fingerprint", what)
		}
	}
	if fingerprint(strings.Replace(english, "eleven", "twelve", 1)) == now {
		t.Error("another word makes no other fingerprint")
	}
	const page = chineseDir + "scenarios/states.md"
	text := "<!-- translation of: docs/scenarios/states.md " + now + " -->\n# 状态\n\n[English](../../scenarios/states.md)\n\n共十一种。\n"
	if why := wrongAboutItself(page, text, now); why != "" {
		t.Error(why)
	}
	if why := wrongAboutItself(page, text, "0123456789ab"); !strings.Contains(why, "is behind, and does not") {
		t.Errorf("behind, without a notice: %q", why)
	}
	behind := withNotice(text, "0123456789ab")
	if why := wrongAboutItself(page, behind, "0123456789ab"); why != "" || withNotice(behind, "0123456789ab") != behind {
		t.Errorf("behind, with the notice: %s\n%s", why, behind)
	}
	if why := wrongAboutItself(page, behind, now); !strings.Contains(why, "not behind, and says") {
		t.Errorf("not behind, with the notice: %q", why)
	}
	if withNotice(behind, now) != text {
		t.Errorf("the notice is not taken away:\n%s", withNotice(behind, now))
	}
	for _, wrong := range []string{text[1:], strings.Replace(text, "scenarios/states", "states", 1), strings.Replace(text, "[English]", "[en]", 1)} {
		if wrongAboutItself(page, wrong, now) == "" {
			t.Errorf("nothing is wrong with\n%s", wrong)
		}
	}
}

// A browser makes a blank of the end of a line. Between Chinese letters that is a gap, so a paragraph is one line, or
// its lines end with punctuation.
func TestAParagraphInChineseIsOneLine(t *testing.T) {
	for _, page := range chinesePages(t) {
		for _, n := range brokenLines(read(t, page)) {
			t.Errorf("%s:%d: want it in the line before", page, n)
		}
	}
	if n := brokenLines("# a\n\n一，\n二\n三。\n- 三\n  四\n\n| a |\n| b |\n\n```sh\n一\n二\n```\n\n<!-- x -->\n# c\n"); !slices.Equal(n, []int{5, 7}) {
		t.Errorf("lines %v, want 5 and 7", n)
	}
}

// startsAnew begins a line that is not the rest of a paragraph.
var startsAnew = regexp.MustCompile(`^\s*([-|#<>]|\*\*\d|\d+\.|!\[|$)`)

// endsWell is the end of a line behind which a gap is not seen, and an empty line.
var endsWell = regexp.MustCompile(`(^|\p{P}|-->)$`)

// brokenLines are the numbers of the lines that go on with the paragraph of the line before.
func brokenLines(text string) (list []int) {
	before := ""
	for i, line := range strings.Split(prose(text), "\n") {
		if !startsAnew.MatchString(line) && !strings.HasPrefix(before, "#") && !endsWell.MatchString(before) {
			list = append(list, i+1)
		}
		before = strings.TrimSpace(line)
	}
	return list
}
