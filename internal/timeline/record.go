package timeline

import "slices"

// RecordFormat is the format of the records that this version writes, and the newest that it knows.
const RecordFormat = 1

// Record is the first line of a file that keeps a timeline: where the timeline is from, and what a view has to know to
// show it as it was shown when it was made.
type Record struct {
	Format  int      `json:"format"`
	Program string   `json:"program"`
	Version string   `json:"version"`
	Kernel  string   `json:"kernel"`  // its release
	Machine string   `json:"machine"` // as uname -m has it
	Boot    string   `json:"boot"`    // two records of one boot have one clock
	Clock   string   `json:"clock"`   // which one the times are of
	Sides   []Side   `json:"sides"`   // whose calls are in it
	Args    []string `json:"args"`    // the command line

	Title        string `json:"title,omitempty"` // the scenario; of the plain server and client, none
	Lesson       string `json:"lesson,omitempty"`
	Ref          string `json:"ref,omitempty"`
	ClientLabel  string `json:"client_label,omitempty"`
	ServerLabel  string `json:"server_label,omitempty"`
	ClientSource string `json:"client_source,omitempty"`
	ServerSource string `json:"server_source,omitempty"`
	Alone        Side   `json:"alone,omitempty"`
	Many         bool   `json:"many,omitempty"`
	Segments     bool   `json:"segments,omitempty"` // they were to be seen: nothing was inferred
}

func (*Record) Kind() Kind { return "record" }

// Has tells whether the calls of a side are in it.
func (r *Record) Has(s Side) bool { return slices.Contains(r.Sides, s) }

// Both tells whether those of both are.
func (r *Record) Both() bool { return r.Has(Client) && r.Has(Server) }
