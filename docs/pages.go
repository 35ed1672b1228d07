// Package docs has the scenarios' pages in it, for echoc to show: what a reader finds here and what the program says in
// a terminal is the same text.
package docs

import "embed"

//go:embed scenarios/*.md
var pages embed.FS

// Scenario is the page of the scenario of that name, in Markdown; "" if there is none.
func Scenario(name string) string {
	text, _ := pages.ReadFile("scenarios/" + name + ".md") // a name that is no path has no page
	return string(text)
}
