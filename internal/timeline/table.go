package timeline

// Table is what a lesson has come to, in rows: one for each thing that it tried.
type Table struct {
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"` // as many cells each as Head has
}

func (*Table) Kind() Kind { return "table" }
