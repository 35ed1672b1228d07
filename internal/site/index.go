package site

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	html "html/template"
)

// index is what index.html is given.
type index struct {
	Kernel, When, Measured, States, Seen string
	Groups                               []group
	Style                                html.CSS
	StyleHash                            string
}

// group is a heading, with runs below it.
type group struct {
	Name string
	Runs []Run
}

//go:embed index.html
var markup string

//go:embed index.css
var sheet string

var (
	template  = html.Must(html.New("index").Parse(markup))
	style     = html.CSS(sheet)
	styleHash = func() string {
		sum := sha256.Sum256([]byte(sheet))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	}()
)
