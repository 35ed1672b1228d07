// Package page draws a run as one page of HTML that needs nothing else: the ladder, the state diagram beside it,
// queues, and each event's details, to be walked through.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"

	"socklife/internal/ladder"
)

//go:embed page.html page.css *.js
var files embed.FS

// scripts are the page's program, in the order in which it is read.
var scripts = []string{"words.js", "model.js", "rows.js", "diagram.js", "details.js", "page.js"}

var page = template.Must(template.ParseFS(files, "page.html"))

// Write writes the page of a run; kernel is what the run was on, "" where that is not known.
//
// What a peer sent is in the page as JSON and is shown as text. The page's policy allows its own script and style, by
// their hashes, and nothing else: no other script, no request, no markup made from a string.
func Write(w io.Writer, l *ladder.Ladder, kernel string) error {
	run, err := json.Marshal(newRun(l, kernel))
	if err != nil {
		return err
	}
	style, script := text("page.css"), ""
	for _, name := range scripts {
		script += text(name)
	}
	return page.Execute(w, struct {
		Title, StyleHash, ScriptHash string
		Style                        template.CSS
		Script                       template.JS
		Run                          template.JS
	}{
		Title:     visible(l.Title),
		StyleHash: hash(style), ScriptHash: hash(script),
		Style: template.CSS(style), Script: template.JS(script),
		Run: template.JS(run), // json.Marshal has escaped <, >, & and the line separators
	})
}

func text(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// hash is how a Content-Security-Policy names a script or style.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
