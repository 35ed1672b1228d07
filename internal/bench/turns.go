package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// contender is one way to do the same.
type contender struct {
	name string
	do   func() error // once, or so often that it can be measured
	// What a turn's time is divided by; 0: 1.
	times int
	// Of the table's figures: at most, or at least, so often that of another contender.
	most          []limit
	cost, elapsed time.Duration   // what do says that a turn has cost, if it knows better
	taken         []time.Duration // CPU time: what a busy machine changes least
	wall          []time.Duration
}

// cpu is the time that this process and those that it has waited for have had on a CPU, in the kernel too.
func cpu() (sum time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			panic(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// limit is a goal: so often the time of another contender at most.
type limit struct {
	ratio float64
	of    string
}

// farOff is by how much a goal may be missed in a short run, on a busy machine, before it counts as a failure.
const farOff = 2

// bench is one comparison.
type bench struct {
	short      bool
	given      int
	contenders []*contender
	remarks    []string
	echoc      string
	missed     bool // a goal
}

// remark is something to be said under the table.
func (b *bench) remark(format string, args ...any) {
	b.remarks = append(b.remarks, fmt.Sprintf(format, args...))
}

// turns has the contenders take turns: so what else the machine does is spread over all of them.
func (b *bench) turns(n int, list ...*contender) error {
	b.contenders = list
	if b.short {
		n = max(5, n/5)
	}
	for range cmp.Or(b.given, n) {
		for _, c := range list {
			runtime.GC() // what the one before left is not this one's
			began, before := time.Now(), cpu()
			if err := c.do(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			times := time.Duration(max(1, c.times))
			c.wall = append(c.wall, cmp.Or(c.elapsed, time.Since(began)/times))
			c.taken = append(c.taken, cmp.Or(c.cost, (cpu()-before)/times))
		}
	}
	return nil
}

func median[T cmp.Ordered](of []T) T {
	s := slices.Sorted(slices.Values(of))
	return s[len(s)/2]
}

// against is how much more a contender's turns took than those of another that came just before or after: the median,
// for what disturbs, disturbs both.
func (c *contender) against(other *contender) float64 {
	var ratios []float64
	for i := range min(len(c.taken), len(other.taken)) {
		ratios = append(ratios, float64(c.taken[i])/float64(other.taken[i]))
	}
	return median(ratios)
}

// row is what a table says of one contender.
type row struct {
	*contender
	goals, are []string
}

// rows are a table's. A goal that was missed is marked; in a short run, one that was missed by far.
func (b *bench) rows() (rows []row) {
	for _, c := range b.contenders {
		r := row{contender: c}
		for _, l := range c.most {
			at := slices.IndexFunc(b.contenders, func(o *contender) bool { return o.name == l.of })
			if at < 0 {
				continue // it is not here
			}
			ratio, mark := c.against(b.contenders[at]), ""
			if ratio > l.ratio && !b.short || ratio > l.ratio*farOff {
				b.missed, mark = true, " ✗"
			}
			r.goals = append(r.goals, fmt.Sprintf("≤ %.2f of %s", l.ratio, l.of))
			r.are = append(r.are, fmt.Sprintf("%.2f%s", ratio, mark))
		}
		rows = append(rows, r)
	}
	return rows
}

// print writes the table.
func (b *bench) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 1, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(w, "contender\tCPU time\tfastest\telapsed\tgoal\tis\t")
	for _, r := range b.rows() {
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\t%s\t%s\t\n", r.name, rounded(median(r.taken)), rounded(slices.Min(r.taken)), rounded(median(r.wall)),
			strings.Join(r.goals, ", "), strings.Join(r.are, ", "))
	}
	w.Flush()
	for _, r := range b.remarks {
		fmt.Fprintln(to, r)
	}
	fmt.Fprintln(to)
}

// markdown writes it as docs/performance.md has it.
func (b *bench) markdown(to io.Writer, c comparison) {
	fmt.Fprintf(to, "### %s: %s\n\n| | CPU time | elapsed | goal | is |\n|---|---|---|---|---|\n", c.name, c.what)
	for _, r := range b.rows() {
		fmt.Fprintf(to, "| %s | %v | %v | %s | %s |\n", r.name, rounded(median(r.taken)), rounded(median(r.wall)),
			strings.Join(r.goals, ", "), strings.Join(r.are, ", "))
	}
	for _, r := range b.remarks {
		fmt.Fprintf(to, "\n%s\n", r)
	}
	fmt.Fprintln(to)
}

// rounded has three digits that count.
func rounded(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
