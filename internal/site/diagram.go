package site

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	html "html/template"
	"io"

	"socklife/internal/figure"
	"socklife/internal/timeline"
)

//go:embed diagram.html
var diagramMarkup string

var diagramPage = html.Must(html.New("diagram").Parse(diagramMarkup))

// row is a transition in the table below the picture.
type row struct {
	No                   int
	From, To, By, Source string
	Seen                 bool
}

// Diagram writes the measured state diagram as one page: the picture, and a table that says the same.
func Diagram(w io.Writer, measured string, table []*timeline.Coverage) error {
	var picture bytes.Buffer
	if err := figure.Measured(&picture, measured, table); err != nil {
		return err
	}
	data := struct {
		Measured, Seen, StyleHash string
		Image                     html.URL
		Rows                      []row
		Style                     html.CSS
	}{
		Measured: measured, Seen: seen(table), StyleHash: styleHash, Style: style,
		Image: html.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(picture.Bytes())),
	}
	for _, c := range table {
		if c.State != 0 {
			continue
		}
		data.Rows = append(data.Rows, row{len(data.Rows) + 1, c.From.String(), c.To.String(), figure.Says(c), c.Source, c.Seen})
	}
	return diagramPage.Execute(w, data)
}

// seen is how much of it was, in a sentence.
func seen(table []*timeline.Coverage) string {
	states, transitions, n := 0, 0, 0
	for _, c := range table {
		switch {
		case c.State != 0 && c.Seen:
			states++
		case c.State == 0:
			if transitions++; c.Seen {
				n++
			}
		}
	}
	return fmt.Sprintf("%d states and %d of %d transitions were seen.", states, n, transitions)
}
