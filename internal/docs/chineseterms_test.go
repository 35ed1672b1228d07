package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A term of the glossary in docs/zh-CN/README.md has its English on each page that uses it.
var glossaryRow = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$`)

// plainWords stand in the glossary, and are words that need no English.
var plainWords = []string{"确认", "对端"}

// glossary has the terms, longer ones first.
func glossary(t *testing.T) (terms [][2]string) {
	t.Helper()
	_, table, _ := strings.Cut(read(t, chineseDir+"README.md"), "| 中文 | 英文 | 含义 |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, m := range glossaryRow.FindAllStringSubmatch(table, -1) {
		zh, en := strings.Split(m[1], "、"), strings.Split(m[2], ", ")
		for i, term := range zh {
			term, english := term, en[min(i, len(en)-1)]
			english, _, _ = strings.Cut(english, " (")
			if !slices.Contains(plainWords, term) {
				terms = append(terms, [2]string{term, english})
			}
		}
	}
	slices.SortFunc(terms, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	return terms
}

// withoutEnglish are the terms whose English the text does not have.
func withoutEnglish(text string, terms [][2]string) (list []string) {
	text = linkTarget.ReplaceAllString(comment.ReplaceAllString(prose(withoutBlocks(text)), ""), "]")
	text, _, _ = strings.Cut(text, "| 中文 | 英文 | 含义 |")
	english := strings.ToLower(text)
	for _, term := range terms {
		if strings.Contains(text, term[0]) && !strings.Contains(english, strings.ToLower(term[1])) {
			list = append(list, term[0]+" ("+term[1]+")")
		}
		text = strings.ReplaceAll(text, term[0], "…") // a shorter term may be a part of it
	}
	return list
}

func TestATermHasItsEnglishBesideIt(t *testing.T) {
	terms := glossary(t)
	if len(terms) < 20 {
		t.Fatalf("only %d terms found", len(terms))
	}
	for _, page := range chinesePages(t) {
		for _, term := range withoutEnglish(read(t, page), terms) {
			t.Errorf("%s: want the English beside its first %s", page, term)
		}
	}
	for text, want := range map[string]int{
		"全连接队列（accept queue）满了。": 0, "全连接队列满了。": 1, "监听套接字（listener）": 0, "监听套接字（listener）是套接字。": 1, "`accept queue`": 0,
	} {
		if got := withoutEnglish(text, terms); len(got) != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
