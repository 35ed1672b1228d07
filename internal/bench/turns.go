package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
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
const farOff = 1.5

// bench is one comparison.
type bench struct {
	short      bool
	given      int
	contenders []*contender
	remarks    []string
}

// remark is something to be said under the table.
func (b *bench) remark(format string, args ...any) {
	b.remarks = append(b.remarks, fmt.Sprintf(format, args...))
}

// turns has the contenders take turns: so what else the machine does is spread over all of them.
func (b *bench) turns(n int, list ...*contender) error {
	b.contenders = list
	if b.short {
		n = max(3, n/5)
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

// print writes the table, and says whether a goal was missed: by far, in a short run.
func (b *bench) print(to io.Writer) (failed bool) {
	w := tabwriter.NewWriter(to, 0, 0, 1, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(w, "contender\tCPU time\tfastest\telapsed\tgoal\tis\t")
	for _, c := range b.contenders {
		goal, is := "", ""
		for _, l := range c.most {
			other := b.contenders[slices.IndexFunc(b.contenders, func(o *contender) bool { return o.name == l.of })]
			ratio := c.against(other)
			goal += fmt.Sprintf("≤ %.2f of %s ", l.ratio, l.of)
			is += fmt.Sprintf("%.2f ", ratio)
			if allowed := l.ratio; ratio > allowed && !b.short || ratio > allowed*farOff {
				failed = true
				is += "✗ "
			}
		}
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\t%s\t%s\t\n", c.name, rounded(median(c.taken)), rounded(slices.Min(c.taken)), rounded(median(c.wall)), goal, is)
	}
	w.Flush()
	for _, r := range b.remarks {
		fmt.Fprintln(to, r)
	}
	fmt.Fprintln(to)
	return failed
}

// rounded has three digits that count.
func rounded(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
