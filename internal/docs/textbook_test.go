package docs

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

var (
	claimHeading = regexp.MustCompile(`(?m)^### (\d+)\. `)
	claimVerdict = regexp.MustCompile(`(?m)^- Verdict: (✓|≈|✗)$`)
	claimTry     = regexp.MustCompile("(?m)^- Try: `.*`$")
)

// docs/textbook.md has each claim as a heading, then how to try it, the verdict, and why in a few short lines. Its
// numbers are what others refer to.
func TestEachClaimIsTriedAndJudged(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/textbook.md")
	starts := claimHeading.FindAllStringSubmatchIndex(text, -1)
	if len(starts) < 31 {
		t.Fatalf("only %d claims found", len(starts))
	}
	verdicts := map[string]int{}
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		n, item := text[at[2]:at[3]], text[at[0]:end]
		if n != fmt.Sprint(i+1) {
			t.Errorf("claim %d has the number %s", i+1, n)
		}
		lines := strings.Split(item, "\n")
		if len(lines) < 5 || !claimTry.MatchString(lines[2]) || !claimVerdict.MatchString(lines[3]) || !strings.HasPrefix(lines[4], "- ") {
			t.Errorf("claim %s: want \"- Try: `command`\", \"- Verdict: ✓, ≈ or ✗\", and why:\n%s", n, item)
			continue
		}
		verdicts[claimVerdict.FindStringSubmatch(lines[3])[1]]++
		for _, line := range strings.Split(strings.ReplaceAll(item, "\n  ", " "), "\n") {
			if len([]rune(line)) > 330 {
				t.Errorf("claim %s: a point of %d characters is too long to be read at a glance: %s", n, len([]rune(line)), line)
			}
		}
	}
	if verdicts["✓"] == 0 || verdicts["≈"] == 0 || verdicts["✗"] == 0 {
		t.Errorf("a verdict of the three is never given: %v", verdicts)
	}
}
