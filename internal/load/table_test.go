package load

import (
	"fmt"
	"strings"
	"time"
)

// row is a line of the table.
type row struct {
	what                string
	clients             int
	verified            int64
	before, peak, after sample
	took                time.Duration
	note                string
}

var table []row

// watch keeps the largest of each number, until it is told to end.
type watcher struct {
	row
	began    time.Time
	verified int64
}

func (s *server) watch(what string) *watcher {
	return &watcher{row: row{what: what, before: s.began}, began: time.Now(), verified: verified.Load()}
}

// look takes a sample.
func (w *watcher) look(s *server) sample {
	now := s.sample()
	p := &w.peak
	p.resident, p.kernel, p.host = max(p.resident, now.resident), max(p.kernel, now.kernel), max(p.host, now.host)
	p.descriptors, p.threads, p.conns = max(p.descriptors, now.descriptors), max(p.threads, now.threads), max(p.conns, now.conns)
	return now
}

// end takes the last one, when all clients are gone.
func (w *watcher) end(s *server, clients int, note string, args ...any) {
	w.after = w.look(s)
	w.took, w.clients, w.row.verified = time.Since(w.began), clients, verified.Load()-w.verified
	w.note = fmt.Sprintf(note, args...)
	table = append(table, w.row)
}

func mb(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }

// markdown is the table as docs/reliability.md has it.
func markdown() string {
	var b strings.Builder
	b.WriteString("| what | clients | MB verified | RSS in MB: before, most, after | kernel memory of echod's sockets, MB at most | TCP memory of the host, MB at most | descriptors: before, most, after | threads: before, most | CPU of echod | result |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range table {
		cpu := r.after.cpu - r.before.cpu
		fmt.Fprintf(&b, "| %s | %d | %s | %s, %s, %s | %s | %s | %d, %d, %d | %d, %d | %.1f s of %.0f s | %s |\n", r.what, r.clients, mb(r.verified),
			mb(r.before.resident), mb(r.peak.resident), mb(r.after.resident), mb(r.peak.kernel), mb(r.peak.host),
			r.before.descriptors, r.peak.descriptors, r.after.descriptors, r.before.threads, r.peak.threads,
			cpu.Seconds(), r.took.Seconds(), r.note)
	}
	return b.String()
}
