package docs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A table of Go data is in English on a Chinese page, too. Where its text is what the page is for, it is translated by
// hand above the table, below a comment with the fingerprint of the table that was translated:
//
//	<!-- by hand: transitions 0123456789ab -->
//
// When the data change, the test says so here.
var byHand = regexp.MustCompile(`(?m)^<!-- by hand: (\w+) ([0-9a-f]{12}) -->\n`)

// bodyPrint is the fingerprint of a table, wherever its links lead.
func bodyPrint(body string) string {
	sum := sha256.Sum256([]byte(linkTarget.ReplaceAllString(body, "]")))
	return hex.EncodeToString(sum[:6])
}

func TestWhatIsTranslatedByHandIsNotBehind(t *testing.T) {
	for _, page := range chinesePages(t) {
		text := read(t, page)
		found, err := blocks(page, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range byHand.FindAllStringSubmatchIndex(text, -1) {
			name, print := text[at[2]:at[3]], text[at[4]:at[5]]
			i := slices.IndexFunc(found, func(b block) bool { return b.kind == "table" && b.what == name })
			if i < 0 {
				t.Errorf("%s: the table %s is translated, and not there", page, name)
				continue
			}
			if now := bodyPrint(found[i].body); now != print {
				t.Errorf("%s: the table %s has changed: translate what is new, and write <!-- by hand: %[2]s %s -->", page, name, now)
			}
			translation, _, _ := strings.Cut(text[at[1]:], "<!-- table: "+name+" -->")
			if zh, en := subjects(translation), subjects(found[i].body); !slices.Equal(zh, en) {
				t.Errorf("%s: %s: %q, in English %q", page, name, zh, en)
			}
		}
	}
}

var subject = regexp.MustCompile(`(?m)^(?:### |- \*\*)([A-Z0-9-]+)(?:\*\*：.*)?$|^\| ([A-Z0-9-]+) \| ([A-Z0-9-]+) \|`)

// subjects are the states or transitions that a text goes through, in their order.
func subjects(text string) (list []string) {
	for _, m := range subject.FindAllStringSubmatch(text, -1) {
		list = append(list, fmt.Sprint(m[1], m[2], " ", m[3]))
	}
	return list
}

func TestSubjectsOfATranslation(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"- **LISTEN**：等。\n  - 谁来处理：它。\n- **CLOSED**：没有。\n", "### LISTEN\n\nIt waits.\n\n- Who must act: it.\n\n### CLOSED\n"},
		{"| 从 | 到 |\n|---|---|\n| CLOSED | LISTEN | 调用 |\n", "| from | to | when |\n|---|---|---|\n| CLOSED | LISTEN | called |\n"},
	} {
		if zh, en := subjects(c[0]), subjects(c[1]); len(en) == 0 || !slices.Equal(zh, en) {
			t.Errorf("%q, %q", zh, en)
		}
	}
	if slices.Equal(subjects("| CLOSED | LISTEN | 调用 |\n"), subjects("| LISTEN | CLOSED | called |\n")) {
		t.Error("from and to are one")
	}
	if bodyPrint("[a](b.md) 60 s") != bodyPrint("[a](../c.md) 60 s") || bodyPrint("60 s") == bodyPrint("61 s") {
		t.Error("the fingerprint is of something else than the words")
	}
}
