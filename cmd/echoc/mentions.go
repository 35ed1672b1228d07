package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"socklife/docs"
	"socklife/internal/view"
)

// mentions are where a word is spoken of that has no entry of its own, such as a function of the kernel.
func mentions(word string) (entries, pages []string) {
	if len(word) < 4 {
		return nil, nil
	}
	whole := regexp.MustCompile(`(?i)(^|[^a-z0-9_])` + regexp.QuoteMeta(word) + `($|[^a-z0-9_])`)
	for _, k := range kinds {
		for _, name := range k.names() {
			var text strings.Builder
			if k.show(&explainer{w: &text, o: view.Options{Width: 1000}}, name); !whole.MatchString(text.String()) {
				continue
			}
			if docs.Scenario(name) != "" {
				pages = append(pages, name)
			} else {
				entries = append(entries, name)
			}
		}
	}
	return entries, pages
}

// mentioned writes where a word is spoken of, and tells whether it is.
func (e *explainer) mentioned(word string) bool {
	entries, pages := mentions(word)
	if len(entries)+len(pages) == 0 {
		return false
	}
	io.WriteString(e.w, fmt.Sprintf("%s  (it has no entry of its own)\n\n", word))
	e.rows([]row{{"spoken of in", strings.Join(entries, ", ")}, {"and in pages", strings.Join(pages, ", ")}})
	return true
}
