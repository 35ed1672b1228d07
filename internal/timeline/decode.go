package timeline

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Foreign is an event of a kind that this version does not know, as it stands in a record of a newer one.
type Foreign struct {
	Named Kind
	JSON  json.RawMessage
}

func (f *Foreign) Kind() Kind { return f.Named }

// bodies make the body of each kind.
var bodies = map[Kind]func() Body{
	"record":   func() Body { return new(Record) },
	"begin":    func() Body { return new(Begin) },
	"enter":    func() Body { return new(Enter) },
	"call":     func() Body { return new(Call) },
	"state":    func() Body { return new(State) },
	"queue":    func() Body { return new(Queue) },
	"segment":  func() Body { return new(Segment) },
	"counter":  func() Body { return new(Counter) },
	"note":     func() Body { return new(Note) },
	"check":    func() Body { return new(Check) },
	"table":    func() Body { return new(Table) },
	"coverage": func() Body { return new(Coverage) },
	"summary":  func() Body { return new(Summary) },
	"socket":   func() Body { return new(Watched) },
	"look":     func() Body { return new(Look) },
	"tally":    func() Body { return new(Tally) },
}

// mostUS is the longest time that there is, in microseconds.
const mostUS = math.MaxInt64 / int64(time.Microsecond)

// UnmarshalJSON reads what MarshalJSON wrote. Fields that it does not know are passed over, and an event of a kind that
// it does not know is a [Foreign]. Whether a call has an Enter (Split) stands in another event: see [Joiner].
func (e *Event) UnmarshalJSON(line []byte) error {
	var head struct {
		Seq    int64     `json:"seq"`
		AtUS   int64     `json:"at_us"`
		Time   time.Time `json:"time"`
		LateUS int64     `json:"late_us"`
		Side   Side      `json:"side"`
		Kind   Kind      `json:"kind"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return err
	}
	switch {
	case head.Kind == "":
		return fmt.Errorf("an event without a kind")
	case head.Side != Client && head.Side != Server && head.Side != Wire && head.Side != Host:
		return fmt.Errorf("side %q is none of client, server, wire and host", head.Side)
	case max(head.AtUS, head.LateUS) > mostUS || min(head.AtUS, head.LateUS) < -mostUS:
		return fmt.Errorf("at_us %d, late_us %d: no time is that long", head.AtUS, head.LateUS)
	}
	*e = Event{Seq: head.Seq, At: time.Duration(head.AtUS) * time.Microsecond, Time: head.Time, Late: time.Duration(head.LateUS) * time.Microsecond, Side: head.Side}
	known := bodies[head.Kind]
	if known == nil {
		e.Body = &Foreign{head.Kind, append(json.RawMessage(nil), line...)}
		return nil
	}
	e.Body = known()
	err := json.Unmarshal(line, e.Body)
	if b, can := e.Body.(interface{ wrong() error }); can && err == nil {
		err = b.wrong()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", head.Kind, err)
	}
	return nil
}

// Joiner completes events that are read, one after the other: a call whose entry is among them is Split.
type Joiner struct{ entered map[int64]bool }

// joinable is how many calls may be in the kernel at once; a file that says more is not believed.
const joinable = 1 << 16

// Join completes the next event.
func (j *Joiner) Join(e Event) {
	switch b := e.Body.(type) {
	case *Enter:
		if j.entered == nil || len(j.entered) == joinable {
			j.entered = map[int64]bool{}
		}
		j.entered[b.ID] = true
	case *Call:
		b.Split = j.entered[b.ID]
		delete(j.entered, b.ID)
	}
}
