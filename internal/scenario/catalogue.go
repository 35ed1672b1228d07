// Package scenario holds the lessons and their catalogue. Each lesson is one file with both sides in it: what the
// server calls, what the client calls, and what the kernel must then say, from top to bottom. The words it is written
// in are those of package stage; no lesson uses another one's.
package scenario

import (
	"math"
	"socklife/internal/stage"
	"strings"
)

// catalogue is every scenario, in the order a user meets them; each says which group it belongs to.
var catalogue = []*stage.Scenario{
	// How a connection begins.
	handshake, synQueue, backlog, refused, connectTimeout, simultaneousOpen, selfConnect, acceptReset,
	// Who goes through which states at its end.
	halfClose, closing, serverClose, simultaneousClose, finWait1, lastAck, timeWait, timeWaitReuse, closeWaitLeak, finWait2Orphan,
	// What the calls that end a connection do, and do not do.
	lingerOff, lingerReset, lingerWait, unreadDataReset, lostResponse, writeAfterClose, shutdownRead, shutdownVsClose, shutdownListener,
	urgent, resets,
	// Who may have which port.
	reuseaddr, reuseport, portExhaustion,
	// When the other side, or the way to it, is gone.
	crash, abort,
	// What needs a wire that loses, delays and keeps segments.
	staleSYN, halfOpenExpiry, abortOnOverflow, lostLastAck, oldDuplicate, timeWaitReset, synLoss, synAckLoss, ackLoss, deadPeer,
}

// All returns the scenarios, by group and in the order a user meets them.
func All() []*stage.Scenario { return catalogue }

// Find returns the scenario of that name, or nil.
func Find(name string) *stage.Scenario {
	for _, s := range catalogue {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Names are those of all scenarios.
func Names() []string {
	names := make([]string, 0, len(catalogue))
	for _, s := range catalogue {
		names = append(names, s.Name)
	}
	return names
}

// Nearest returns the name that somebody who typed name most likely meant, or "" if nothing is near.
func Nearest(name string) string { return NearestOf(name, Names()) }

// NearestOf is Nearest among other names, whatever their case.
func NearestOf(name string, names []string) (nearest string) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }
	least := math.MaxInt
	for _, n := range names {
		if d := distance(plain(name), plain(n)); d < least && d <= 1+len(n)/3 {
			nearest, least = n, d
		}
	}
	return nearest
}

// distance is how many letters must be added, dropped or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
