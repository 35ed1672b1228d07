package kernels

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	pageFile = "docs/kernels.md"
	begin    = "<!-- made by .ci/kernels --table -->"
	end      = "<!-- end -->"
)

// A cell is how so many scenarios were played: "34: ✓", all met; "34: 3", each refused; "34: ✓ but for abort: 3".
type cell map[string]int // the exit status by scenario

// met stands for status 0.
const met = "✓"

func sign(status int) string {
	switch status {
	case 0:
		return met
	case -1:
		return "not done"
	}
	return strconv.Itoa(status)
}

// usual is the status that most have.
func (c cell) usual() (status int) {
	count := map[int]int{}
	for _, name := range c.names() {
		if count[c[name]]++; count[c[name]] > count[status] {
			status = c[name]
		}
	}
	return status
}

func (c cell) names() []string {
	var list []string
	for name := range c {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (c cell) String() string {
	if len(c) == 0 {
		return ""
	}
	usual, others := c.usual(), map[int][]string{}
	var statuses []int
	for _, name := range c.names() {
		if s := c[name]; s != usual {
			if others[s] == nil {
				statuses = append(statuses, s)
			}
			others[s] = append(others[s], name)
		}
	}
	var but []string
	for _, s := range statuses {
		but = append(but, strings.Join(others[s], ", ")+": "+sign(s))
	}
	text := fmt.Sprintf("%d: %s", len(c), sign(usual))
	if len(but) > 0 {
		text += " but for " + strings.Join(but, "; ")
	}
	return text
}

// says is what a cell of the page expects of a scenario.
func says(text, name string) int {
	status := func(sign string) int {
		switch sign = strings.TrimSpace(sign); sign {
		case met, "":
			return 0
		case "not done":
			return -1
		}
		n, err := strconv.Atoi(sign)
		if err != nil {
			return -2 // it is no cell, so nothing is as it says
		}
		return n
	}
	if _, after, counted := strings.Cut(text, ": "); counted {
		text = after
	}
	usual, but, _ := strings.Cut(text, " but for ")
	for some := range strings.SplitSeq(but, "; ") {
		list, sign, _ := strings.Cut(some, ": ")
		if slices.Contains(strings.Split(list, ", "), name) {
			return status(sign)
		}
	}
	return status(usual)
}

// place names a cell: in which row and column of the page a step is.
func place(run string, s Step) (row, column string) {
	if run == places {
		return s.Where + ", " + s.User, s.Form
	}
	return run, s.Form + ", " + s.User
}

// grid is what the page says: cells by row and column.
type grid map[[2]string]string

// want is the exit status that the page has for a step.
func (g grid) want(run string, s Step) int {
	if s.Row == "" {
		return 0
	}
	row, column := place(run, s)
	return says(g[[2]string{row, column}], s.Row)
}

// readPage reads the tables that stand between the page's two comments; a row's first cell is its name.
func readPage() (grid, error) {
	text, err := os.ReadFile(pageFile)
	if err != nil {
		return nil, err
	}
	g := grid{}
	var head []string
	_, made, _ := strings.Cut(string(text), begin)
	made, _, _ = strings.Cut(made, end)
	for line := range strings.Lines(made) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			head = nil
		case head == nil:
			head = cells
		case !strings.HasPrefix(line, "|-"):
			for i := 1; i < len(cells) && i < len(head); i++ {
				g[[2]string{cells[0], head[i]}] = cells[i]
			}
		}
	}
	return g, nil
}

// writePage puts what the runs gave between the page's two comments.
func writePage(cache string) error {
	text, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %s and %s", pageFile, begin, end)
	}
	var runs []Run
	for _, name := range append(names(kernels), places) {
		b, err := os.ReadFile(filepath.Join(cache, name+".json"))
		if os.IsNotExist(err) {
			fmt.Printf("%s has not been played\n", name)
			continue
		}
		if err != nil {
			return err
		}
		var r Run
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		if name == places {
			r.Kernel.Name = places
		}
		runs = append(runs, r)
	}
	return os.WriteFile(pageFile, []byte(before+begin+"\n\n"+made(runs)+"\n"+end+after), 0o644)
}

// made is what the page has of the runs.
func made(runs []Run) string {
	var b strings.Builder
	var whole, there []Run
	when := ""
	for _, r := range runs {
		when = max(when, r.When)
		if r.Kernel.Name == places {
			there = append(there, r)
		} else {
			whole = append(whole, r)
		}
	}
	fmt.Fprint(&b, tableOf("kernel", whole, true), "\n", refusals(whole), again(whole))
	for _, r := range there {
		fmt.Fprintf(&b, "\n## Where something is missing\n\nOn %s:\n\n%s\n%s", r.Release, tableOf("place", there, false), refusals(there)+again(there))
	}
	fmt.Fprintf(&b, "\nLast played %s, in guests with one processor and 1 GB, on a host with %s.\n", when, thisHost())
	return b.String()
}

// tableOf has the rows and columns in the order in which they were played.
func tableOf(what string, runs []Run, releases bool) string {
	cells := map[[2]string]cell{}
	var rows, columns []string
	release := map[string]string{}
	for _, r := range runs {
		for i, s := range r.Steps {
			if s.Row == "" {
				continue
			}
			row, column := place(r.Kernel.Name, s)
			if !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
			if !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
			at := [2]string{row, column}
			if cells[at] == nil {
				cells[at] = cell{}
			}
			cells[at][s.Row] = r.Answers[i].Status
			release[row] = r.Release
		}
	}
	head := append([]string{what}, columns...)
	if releases {
		head = append(head, "release")
	}
	lines := [][]string{head, slices.Repeat([]string{"---"}, len(head))}
	for _, row := range rows {
		line := []string{row}
		for _, column := range columns {
			line = append(line, cells[[2]string{row, column}].String())
		}
		if releases {
			line = append(line, release[row])
		}
		lines = append(lines, line)
	}
	var b strings.Builder
	for i, line := range lines {
		if i == 1 {
			b.WriteString("|" + strings.Join(line, "|") + "|\n")
			continue
		}
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
	}
	return b.String()
}

// again is what held when it was played once more.
func again(runs []Run) string {
	var list []string
	for _, r := range runs {
		for i, s := range r.Steps {
			if row, column := place(r.Kernel.Name, s); r.Answers[i].Again {
				list = append(list, fmt.Sprintf("%s (%s: %s)", s.Row, row, column))
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "- Failed once, and held when it was played again, as an emulated processor may stand still for seconds: " + strings.Join(list, ", ") + ".\n"
}

// refusals are the lines that those said that could not be played, each once, with who said it.
func refusals(runs []Run) string {
	var order []string
	who := map[string][]string{}
	for _, r := range runs {
		for i, s := range r.Steps {
			a := r.Answers[i]
			if s.Row == "" || a.Status == 0 || len(a.Says) == 0 {
				continue
			}
			line := a.Says[len(a.Says)-1]
			row, column := place(r.Kernel.Name, s)
			if who[line] == nil {
				order = append(order, line)
			}
			if by := row + ": " + column; !slices.Contains(who[line], by) {
				who[line] = append(who[line], by)
			}
		}
	}
	var b strings.Builder
	for _, line := range order {
		fmt.Fprintf(&b, "- `%s` (%s)\n", line, strings.Join(who[line], "; "))
	}
	return b.String()
}
