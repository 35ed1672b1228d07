package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// figures are numbers of two digits or more: smaller ones are as often words.
var figures = regexp.MustCompile(`\d[\d,]*\d`)

// inFigures writes an English text's numbers in words as a Chinese text may have them.
var inFigures = strings.NewReplacer("ten", "10", "eleven", "11", "twelve", "12", "fourteen", "14", "fifteen", "15", "twenty", "20", "thirty", "30",
	"forty", "40", "fifty", "50", "sixty", "60", "a quarter of an hour", "15 minutes", "half an hour", "30 minutes")

// figuresIn are those of a text outside of code and of links' targets, each once.
func figuresIn(text string) []string {
	text = comment.ReplaceAllString(text, "")
	return distinct(figures.FindAllString(linkTarget.ReplaceAllString(inlineCode.ReplaceAllString(text, "code"), "]"), -1))
}

// timesIn are the times of an English text, in figures or in words.
func timesIn(text string) (list []time.Duration) {
	text = linkTarget.ReplaceAllString(inlineCode.ReplaceAllString(text, "code"), "]")
	text = fractions.Replace(strings.Join(strings.Fields(text), " "))
	for _, m := range oneTime.FindAllStringSubmatch(text, -1) {
		list = append(list, lasting(m[1]+m[3]+m[5], m[2]+m[4]+m[6]))
	}
	return list
}

// otherNumbers says which times and figures a section and its translation do not have in common. What is in a table of
// the page may be said again.
func otherNumbers(zh, en, tables string) (wrong []string) {
	has := timesIn(inEnglish(zh))
	for _, d := range timesIn(en) {
		if !slices.Contains(has, d) {
			wrong = append(wrong, "it does not have the time "+d.String())
		}
	}
	is, was, said := figuresIn(zh), figuresIn(en), inFigures.Replace(en+tables)
	for _, n := range was {
		if !slices.Contains(is, n) {
			wrong = append(wrong, "it does not have the number "+n)
		}
	}
	for _, n := range is {
		if !slices.Contains(was, n) && !strings.Contains(said, n) {
			wrong = append(wrong, "not in English: the number "+n)
		}
	}
	return distinct(wrong)
}

// tablesOf are the generated tables of a page.
func tablesOf(text string) (all string) {
	found, _ := blocks("", text)
	for _, b := range found {
		if b.kind == "table" {
			all += b.body
		}
	}
	return all
}

func TestAnotherNumberInATranslationIsFound(t *testing.T) {
	t.Parallel()
	const en = "TIME-WAIT lasts 60 s, or a minute; the ACK comes after 40 ms, 262144 bytes later, and read waits for a quarter of an hour."
	for zh, want := range map[string]int{
		"TIME-WAIT 持续 60 秒，即一分钟；40 毫秒后是 ACK，之后是 262144 字节，read 等一刻钟。":      0,
		"TIME-WAIT 持续一分钟，也就是 60 s；40 ms 后是 ACK，之后 262144 字节，read 等 15 分钟。": 0,
		"TIME-WAIT 持续 60 秒；400 毫秒后是 ACK，之后是 262144 字节，read 等一刻钟。":          3,
		"TIME-WAIT 持续 60 秒；40 毫秒后是 ACK，之后是 262114 字节，read 等一刻钟。":           2,
		"TIME-WAIT 持续 60 分钟；40 毫秒后是 ACK，之后是 262144 字节，read 等一刻钟。":          1,
	} {
		if wrong := otherNumbers(zh, en, ""); len(wrong) != want {
			t.Errorf("%s: %q, want %d", zh, wrong, want)
		}
	}
	if wrong := otherNumbers("RFC 1337", "", "| RFC 1337 |"); len(wrong) > 0 {
		t.Errorf("what a table has: %q", wrong)
	}
}
