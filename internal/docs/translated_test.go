package docs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A Chinese page that is not behind has what the English one has: the same headings, runs, tables and pictures, the
// same code and commands, links to the same places, the same times and numbers, and what is marked with ① or a verdict.
// A run is played once for both languages (runs_test.go); -update writes it into both, and copies it from the English
// page where only that has been written.
func TestTheChinesePagesHaveWhatTheEnglishHave(t *testing.T) {
	for _, p := range chinesePages(t) {
		text, from := read(t, p), read(t, original(p))
		if *update && isAsked(p) {
			if copied := withBlocksOf(ledOn(t, p, p, text), from); copied != text {
				write(t, p, copied)
				text = copied
			}
		}
		if isBehind(text, from) {
			continue
		}
		for _, why := range notAlike(t, p, text, original(p), from) {
			t.Errorf("%s: %s", p, why)
		}
	}
}

// notAlike is what a page and its translation do not have in common.
func notAlike(t *testing.T, page, text, english, from string) (wrong []string) {
	t.Helper()
	compare := func(what string, zh, en []string) {
		for i := range max(len(zh), len(en)) {
			a, b := nth(zh, i), nth(en, i)
			if a != b {
				wrong = append(wrong, fmt.Sprintf("%s %d: %q, in English %q", what, i+1, a, b))
				return
			}
		}
	}
	compare("heading", levels(text), levels(from))
	compare("block", openings(text), openings(from))
	compare("run", transcripts(text), transcripts(from))
	compare("picture", imagesOf(page, text), imagesOf(english, from))
	compare("code", listings(page, text), listings(english, from))
	compare("verdict", verdicts(text), verdicts(from))
	if len(wrong) > 0 { // what follows goes section by section
		return wrong
	}
	zh, en := bySection(text), bySection(from)
	for i := range min(len(zh), len(en)) {
		heading, _, _ := strings.Cut(zh[i], "\n")
		compare(heading+": code", codeSpans(zh[i]), codeSpans(en[i]))
		compare(heading+": number", numbersIn(zh[i]), numbersIn(en[i]))
		for _, why := range otherNumbers(zh[i], en[i], tablesOf(from)) {
			wrong = append(wrong, heading+": "+why)
		}
	}
	wants := targets(t, english, from, true)
	has := targets(t, page, text, false)
	for to := range wants {
		if !has[to] {
			wrong = append(wrong, "it has no link to "+to)
		}
	}
	for to := range has {
		if !wants[to] && to != english {
			wrong = append(wrong, "the English page has no link to "+to)
		}
	}
	slices.Sort(wrong)
	return wrong
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func levels(text string) (list []string) {
	for _, h := range headings(text) {
		list = append(list, h[:len(h)-len(strings.TrimLeft(h, "#"))])
	}
	return list
}

func openings(text string) (list []string) {
	found, _ := blocks("", text)
	for _, b := range found {
		list = append(list, b.comment())
	}
	return list
}

// transcripts are the transcripts, letter by letter.
func transcripts(text string) (list []string) {
	found, _ := blocks("", text)
	for _, b := range found {
		if b.kind != "table" { // whose links lead elsewhere
			list = append(list, b.body)
		}
	}
	return list
}

var imageLink = regexp.MustCompile(`!\[[^\]]*\]\(([^)\s]+)\)`)

// imagesOf are their files.
func imagesOf(page, text string) (list []string) {
	for _, m := range imageLink.FindAllStringSubmatch(prose(text), -1) {
		list = append(list, filepath.Join(filepath.Dir(page), m[1]))
	}
	return list
}

var behindHash = regexp.MustCompile(`(?m)(^|\s+)# .*$`)

// listings are the blocks of code outside of runs: commands without what is said of them, programs as they are; of a
// drawing in letters, that there is one.
func listings(page, text string) (list []string) {
	for _, f := range fences(page, withoutBlocks(text)) {
		switch f.language {
		case "sh":
			f.text = behindHash.ReplaceAllString(f.text, "")
		case "text", "mermaid":
			f.text = ""
		}
		list = append(list, f.language+"\n"+f.text)
	}
	return list
}

var verdict = regexp.MustCompile(`(?m)^- .*[:：] ?([✓≈✗])$`)

func verdicts(text string) (list []string) {
	for _, m := range verdict.FindAllStringSubmatch(prose(text), -1) {
		list = append(list, m[1])
	}
	return list
}

// bySection has the parts of a page that begin with a heading, without blocks and code.
func bySection(text string) (list []string) {
	list = []string{""}
	for line := range strings.Lines(prose(withoutBlocks(text))) {
		if strings.HasPrefix(line, "#") {
			list = append(list, "")
		}
		list[len(list)-1] += line
	}
	return list
}

// codeSpans are what stands in backquotes in a section, each once.
func codeSpans(section string) []string {
	return distinct(inlineCode.FindAllString(section, -1))
}

// numbersIn are ①, ② … in a section, each once.
func numbersIn(section string) (list []string) {
	for _, r := range section {
		if strings.ContainsRune(circled, r) {
			list = append(list, string(r))
		}
	}
	return distinct(list)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// targets are where a page's links lead: sites, files, and "page § n" for a page's nth heading. Those of an English page
// are led to the Chinese page, where there is one.
func targets(t *testing.T, page, text string, chinese bool) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(prose(text), "code"), -1) {
		to := m[1]
		if !strings.Contains(to, "://") {
			to = leads(t, page, to, chinese)
		}
		if chinese && to == chineseOf(page) { // the way from the one to the other
			continue
		}
		found[to] = true
	}
	return found
}

// leads is where a link within the project leads.
func leads(t *testing.T, page, to string, chinese bool) string {
	t.Helper()
	path, fragment, _ := strings.Cut(to, "#")
	target := page
	if path != "" {
		target = filepath.Join(filepath.Dir(page), path)
	}
	n := ""
	if fragment != "" {
		n = fmt.Sprintf(" § %d", slices.Index(slugs(read(t, target)), fragment)+1)
	}
	if zh := chineseOf(target); chinese && zh != "" {
		target = zh
		if isBehind(read(t, zh), read(t, original(zh))) {
			n = ""
		}
	} else if english := original(target); !chinese && english != "" && isBehind(read(t, target), read(t, english)) {
		n = ""
	}
	return target + n
}

// inChinese leads the links of a text that stands on an English page, such as a generated table, to the Chinese pages
// where there are such, from the Chinese page that it is to stand on.
func inChinese(t *testing.T, page, text string) string {
	t.Helper()
	return ledOn(t, page, original(page), text)
}

// ledOn leads links to the Chinese pages where there are such. They are those of one page, and will be another's.
func ledOn(t *testing.T, page, from, text string) string {
	t.Helper()
	return link.ReplaceAllStringFunc(text, func(s string) string {
		to := link.FindStringSubmatch(s)[1]
		if strings.Contains(to, "://") {
			return s
		}
		path, fragment, hasFragment := strings.Cut(to, "#")
		target := from
		if path != "" {
			target = filepath.Join(filepath.Dir(from), path)
		}
		if zh := chineseOf(target); zh != "" && (target != original(page) || from != page) {
			if n := slices.Index(slugs(read(t, target)), fragment); n >= 0 {
				fragment = nth(slugs(read(t, zh)), n)
			}
			target = zh
		}
		rel, err := filepath.Rel(filepath.Dir(page), target)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case target == page && hasFragment:
			rel = ""
		case strings.HasSuffix(path, "/"):
			rel += "/"
		}
		if hasFragment {
			rel += "#" + fragment
		}
		return "](" + rel + ")"
	})
}

// withBlocksOf is a page with the runs of the English one in the places of its own, if they are of the same commands in
// the same order.
func withBlocksOf(text, english string) string {
	ours, err := blocks("", text)
	theirs, err2 := blocks("", english)
	same := func(a, b block) bool { return a.kind == b.kind && a.what == b.what && a.show == b.show }
	if err != nil || err2 != nil || !slices.EqualFunc(ours, theirs, same) {
		return text
	}
	all := strings.Split(text, "\n")
	for i := len(ours) - 1; i >= 0; i-- {
		if ours[i].kind == "table" {
			continue
		}
		begin := ours[i].line // the line below the comment
		end := begin + len(upToEnd(all[begin:]))
		body := strings.Split(strings.TrimSuffix(fence(ours[i].kind, theirs[i].body), "\n"), "\n")
		all = slices.Concat(all[:begin-1], []string{theirs[i].comment()}, body, all[end:])
	}
	return strings.Join(all, "\n")
}

// Whatever a translation leaves out, adds or changes of what is to be the same is found.
func TestWhatIsNotAlikeIsFound(t *testing.T) {
	t.Parallel()
	const page, english = chineseDir + "facts.md", "docs/facts.md"
	const from = "# Closing\n\nIt waits: `close(8)` ①, 60 s ([abort](scenarios/abort.md)).\n\n" +
		"```sh\nechoc close    # both ends\n```\n\n<!-- run: echoc close  # mark \"close(\" -->\n```text\n① close(8) = 0\n```\n<!-- end -->\n\n" +
		"![The states](states.svg)\n\n## Why\n\n- Verdict: ✓\n"
	const text = "# 关闭\n\n[English](../facts.md)\n\n它等待：`close(8)` ①，60 秒（[abort](../scenarios/abort.md)）。\n\n" +
		"```sh\nechoc close    # 两端\n```\n\n<!-- run: echoc close  # mark \"close(\" -->\n```text\n① close(8) = 0\n```\n<!-- end -->\n\n" +
		"![状态](../states.svg)\n\n## 为什么\n\n- 结论：✓\n"
	if wrong := notAlike(t, page, text, english, from); len(wrong) > 0 {
		t.Fatalf("%q", wrong)
	}
	for what, c := range map[string][2]string{
		"a heading's level":  {"## 为", "### 为"},
		"a heading less":     {"## 为什么", "为什么"},
		"a run's note":       {"mark \"close(\"", "lanes"},
		"a run":              {"close(8) = 0", "close(9) = 0"},
		"a picture":          {"states.svg", "states.png"},
		"a command":          {"echoc close    #", "echoc abort    #"},
		"a code span":        {"`close(8)`", "`close(9)`"},
		"a code span less":   {"`close(8)` ", ""},
		"a number less":      {" ①，", "，"},
		"a verdict":          {"：✓", "：✗"},
		"a time":             {"60 秒", "60 分钟"},
		"a figure":           {"60 秒", "60 秒，61 次"},
		"where a link leads": {"scenarios/abort.md", "scenarios/time-wait.md"},
		"a link less":        {"（[abort](../scenarios/abort.md)）", ""},
	} {
		changed := strings.Replace(text, c[0], c[1], 1)
		if changed == text {
			t.Errorf("%s: nothing is changed", what)
		}
		if wrong := notAlike(t, page, changed, english, from); len(wrong) == 0 {
			t.Errorf("not found: %s", what)
		}
	}
	if copied := withBlocksOf(text, strings.Replace(from, "= 0", "= 1", 1)); copied != strings.Replace(text, "= 0", "= 1", 1) {
		t.Errorf("the run is not copied:\n%s", copied)
	}
}

func TestLinksOfATableLeadOnFromTheChinesePage(t *testing.T) {
	t.Parallel()
	const table = "[a](scenarios/abort.md), [b](facts.md#no-such), [c](https://lima-vm.io/)"
	const want = "[a](../scenarios/abort.md), [b](../facts.md#no-such), [c](https://lima-vm.io/)"
	if got := inChinese(t, chineseDir+"states.md", table); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
