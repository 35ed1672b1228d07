package docs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"socklife/internal/scenario"
)

// What a scenario's page is divided into. The last section has a title of its own where there is nothing to be done.
var sections = []string{"In short", "What to look for", "See it", "Why", "In production"}

// counterfactual is one more, before "Why", where a lesson is about what something is for: the same without it.
const counterfactual = "Without "

var (
	section = regexp.MustCompile(`(?m)^## (.*)$`)
	point   = regexp.MustCompile(`(?m)^(?:- |\d\. )?([①-⑳])`)
)

func TestEveryScenarioPageHasItsSections(t *testing.T) {
	t.Parallel()
	for _, sc := range scenario.All() {
		p := filepath.Join("docs", "scenarios", sc.Name+".md")
		if why := misdivided(p, read(t, p)); why != "" {
			t.Errorf("%s: %s", p, why)
		}
	}
}

// misdivided says in what a page has not the form that the others have.
func misdivided(page, text string) string {
	list, err := blocks(page, text)
	if err != nil {
		return err.Error()
	}
	text = prose(text)
	var found []string
	for _, m := range section.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], counterfactual) || len(found) != slices.Index(sections, "Why") {
			found = append(found, m[1])
		}
	}
	if len(found) != len(sections)+1 || !slices.Equal(found[:len(sections)], sections) {
		return fmt.Sprintf("the sections are %q, want %q and one more", found, sections)
	}
	_, look, _ := strings.Cut(text, "\n## What to look for\n")
	look, _, _ = strings.Cut(look, "\n## ")
	points := point.FindAllStringSubmatch(look, -1)
	if len(points) < 2 || len(points) > 4 {
		return fmt.Sprintf("What to look for has %d points that begin with a number, want three (two, four)", len(points))
	}
	if points[0][1] != "①" {
		return "What to look for does not begin with ①"
	}
	if !slices.ContainsFunc(list, func(b block) bool { return b.kind == "run" && len(b.marks) > 0 }) {
		return "no run has the numbers beside it"
	}
	if !slices.ContainsFunc(list, func(b block) bool { return b.kind == "run" && !b.isPart() }) {
		return "no run stands there whole"
	}
	if !strings.Contains(text, "\n\nSee also: ") {
		return `there is no "See also: "`
	}
	return ""
}

func TestPagesInAnotherFormAreFound(t *testing.T) {
	t.Parallel()
	const good = "# a: b\n\nQ.\n\n## In short\n\n## What to look for\n\n- ① a\n- ② b\n\n## See it\n\n<!-- run: echoc x  # mark \"a\", \"b\" -->\n" +
		"<!-- end -->\n\n## Why\n\n```sh\n## a comment\n```\n\n## In production\n\n## Choose the port\n\nSee also: c.\n"
	if why := misdivided("p", good); why != "" {
		t.Error(why)
	}
	for what, wrong := range map[string]string{
		"a section is missing":         strings.Replace(good, "## Why\n", "", 1),
		"one has another title":        strings.Replace(good, "look for", "look at", 1),
		"they are in another order":    strings.NewReplacer("## Why", "## In production", "## In production", "## Why").Replace(good),
		"there is one too many":        good + "## More\n",
		"what is not there comes last": good + "## Without TIME-WAIT\n",
		"the points have no numbers":   strings.NewReplacer("①", "", "②", "").Replace(good),
		"they begin with another":      strings.NewReplacer("① a", "③ a").Replace(good),
		"the run has no numbers":       strings.Replace(good, `  # mark "a", "b"`, "", 1),
		"the run is a part":            strings.Replace(good, `# mark`, "# lanes; mark", 1),
		"nothing is to be seen":        strings.Replace(good, "See also", "See", 1),
	} {
		if misdivided("p", wrong) == "" {
			t.Errorf("%s, and nothing is found", what)
		}
	}
}
