package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// longest is how long a line may be: more than any event, and no more than a reader can hold.
const longest = 16 << 20

// Reader reads a record, a line at a time.
type Reader struct {
	Name  string
	About *timeline.Record // its first line

	Unknown int // events of kinds that a newer version writes; they are passed over

	in     *bufio.Reader
	line   int
	first  *timeline.Event // of a file without a record's first line
	zero   time.Time       // of the run
	joiner timeline.Joiner
	began  bool // a run has begun, and not come to its end
	told   bool // a watch has come to its end
	ended  bool // all was read
}

// Problem is what is wrong with a file, and where.
type Problem struct {
	Name string
	Line int
	What string
}

func (p Problem) Error() string { return fmt.Sprintf("%s: line %d: %s", p.Name, p.Line, p.What) }

// headless is a file of events as --json prints them.
var headless = "it has no record's first line (it is what --json prints, and not what --record writes)"

// NewReader reads the first line. Of what --json printed, which has none, About is empty but for a watch's side, and
// there is a Problem in the end; so there is of a record that a newer version has made, where that matters.
func NewReader(name string, from io.Reader) (*Reader, error) {
	r := &Reader{Name: name, in: bufio.NewReaderSize(from, 1<<16), About: &timeline.Record{}}
	e, err := r.read()
	var bad Problem
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("%s: it is empty", name)
	case errors.As(err, &bad) && bad.What != cut && !strings.HasPrefix(bad.What, unreadable):
		return nil, Problem{name, 1, "not a record of echoc or echod"}
	case err != nil:
		return nil, err
	}
	about, ok := e.Body.(*timeline.Record)
	if !ok {
		if r.first = &e; e.Side == timeline.Host {
			r.About.Sides = []timeline.Side{timeline.Host}
		}
		return r, nil
	}
	if len(about.Sides) == 0 {
		return nil, Problem{name, 1, "not a record of echoc or echod: it is nobody's"}
	}
	r.About = about
	return r, nil
}

// Newer says so if a newer version made the record.
func (r *Reader) Newer() string {
	if r.About.Format <= timeline.RecordFormat {
		return ""
	}
	return fmt.Sprintf("%s: of format %d (%s %s), and this program knows %d: what it knows is shown",
		r.Name, r.About.Format, r.About.Program, r.About.Version, timeline.RecordFormat)
}

// Next is the next event that this version knows; io.EOF comes after the last, and anything else is a Problem.
func (r *Reader) Next() (timeline.Event, error) {
	for {
		e, err := r.next()
		if err == io.EOF {
			return e, r.end()
		}
		if err != nil {
			return e, err
		}
		if _, foreign := e.Body.(*timeline.Foreign); foreign {
			r.Unknown++
			continue
		}
		if what := r.misplaced(e.Body); what != "" {
			return timeline.Event{}, r.problem(what)
		}
		r.complete(&e)
		return e, nil
	}
}

func (r *Reader) next() (timeline.Event, error) {
	if e := r.first; e != nil {
		r.first = nil
		return *e, nil
	}
	return r.read()
}

// misplaced is what is wrong with an event that is not of what the record says it is of: no view would show it.
func (r *Reader) misplaced(b timeline.Body) string {
	watch := r.About.Has(timeline.Host)
	switch b.(type) {
	case *timeline.Record:
		return "another record begins here, and a file has one"
	case *timeline.Watched, *timeline.Look, *timeline.Tally:
		if !watch {
			return fmt.Sprintf("not an event of a run: %s, which is of a watch", b.Kind())
		}
	case *timeline.State, *timeline.Segment, *timeline.Note:
	default:
		if watch {
			return fmt.Sprintf("not an event of a watch: %s, which is of a run", b.Kind())
		}
	}
	return ""
}

// complete adds to an event what stands in others: of a call, that it has an entry, and the time since the run began to
// the nanosecond.
func (r *Reader) complete(e *timeline.Event) {
	r.joiner.Join(*e)
	switch e.Body.(type) {
	case *timeline.Begin:
		r.zero, r.began = e.Time, true
	case *timeline.Summary:
		defer func() { r.zero = e.Time }()
		r.began = false
	case *timeline.Tally:
		r.told = true
	}
	if at := e.Time.Sub(r.zero); !r.zero.IsZero() && at >= e.At && at-e.At < time.Microsecond {
		e.At = at
	}
}

// end is what there is to say when all was read.
func (r *Reader) end() error {
	if r.ended {
		return io.EOF
	}
	r.ended = true
	switch {
	case r.About.Format == 0:
		return Problem{r.Name, 1, headless}
	case r.About.Has(timeline.Host) && !r.told:
		return Problem{r.Name, r.line, "it ends before the watch does: the rest was cut off"}
	case r.began && r.About.Title != "":
		return Problem{r.Name, r.line, "it ends before the run does: the rest was cut off"}
	}
	return io.EOF
}

// cut is what is wrong with a last line.
const cut = "it ends in the middle of this line: the rest was cut off"

// unreadable is what is wrong where reading failed.
const unreadable = "it cannot be read: "

// read reads a line.
func (r *Reader) read() (e timeline.Event, err error) {
	r.line++
	line, err := r.text()
	if err != nil {
		return e, err
	}
	whole := bytes.HasSuffix(line, []byte("\n"))
	if bytes.ContainsAny(line, "\x00") {
		return e, r.problem("not an event: it has bytes 0 in it")
	}
	if err := e.UnmarshalJSON(line); err != nil {
		if !whole {
			return e, r.problem(cut)
		}
		return e, r.problem("not an event: " + err.Error())
	}
	return e, nil
}

// text is the next line.
func (r *Reader) text() (line []byte, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		if len(line)+len(part) > longest {
			return nil, r.problem(fmt.Sprintf("not an event: longer than %d MB", longest>>20))
		}
		line = append(line, part...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) > 0:
			return line, nil
		case err == io.EOF:
			return nil, io.EOF
		case err != nil:
			return nil, r.problem(unreadable + err.Error())
		}
		return line, nil
	}
}

func (r *Reader) problem(what string) error {
	r.ended = true
	return Problem{r.Name, r.line, what}
}
