package states

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// event is a line of the program's JSON: docs/events.md.
type event struct {
	Seq           int64     `json:"seq"`
	Time          time.Time `json:"time"`
	Kind          string    `json:"kind"`
	Local, Remote string
	From, To      string
	Source        string
	Dst, Src      string
	Flags         []string
	Fate          string
}

// patience bounds one run.
const patience = 2 * time.Minute

// Every state that is told was there.
func TestNoStateIsToldThatWasNot(t *testing.T) {
	if testing.Short() {
		t.Skip("plays scenarios, and starts a trace of the kernel's")
	}
	k := tracepoint(t)
	for _, name := range played {
		t.Run(name, func(t *testing.T) {
			var told, confirmed, failed int
			begin := time.Now()
			for i := range *times {
				k.take() // what came after the run before
				out, ok := play(t, name)
				n, c := check(t, k, i, out)
				told, confirmed = told+n, confirmed+c
				if !ok {
					failed++
				}
				if (i+1)%100 == 0 {
					t.Logf("%s: %d runs, %d failed, %d states told, %d of them in the tracepoint's account, %v",
						name, i+1, failed, told, confirmed, time.Since(begin).Round(time.Second))
				}
			}
			t.Logf("%s: %d runs, %d failed, %d states told, %d of them in the tracepoint's account", name, *times, failed, told, confirmed)
			if confirmed == 0 {
				t.Error("the tracepoint has confirmed nothing")
			}
		})
	}
}

// play is one run, and whether all that its lesson expected came.
func play(t *testing.T, name string) (out []byte, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "--wire", "--json", name)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() == 3 {
		t.Skip(errs.String())
	}
	if err != nil {
		t.Logf("%s: %v: %s", name, err, errs.String())
	}
	return out, err == nil
}

// check holds one run's states against the tracepoint's.
func check(t *testing.T, k kernel, run int, out []byte) (told, confirmed int) {
	t.Helper()
	behind, within := monotonic(t)
	states, resets := read(t, out, behind)
	lives := livesOf(k.take())
	for e, list := range states {
		told += len(list)
		n, wrong := held(list, lives[e], resets[e], within+2*time.Microsecond) // the tracepoint's times are in µs
		confirmed += n
		for _, w := range wrong {
			t.Errorf("run %d: %v: %s\nthe tracepoint has %v\nthe run said\n%s", run+1, e, w, lives[e], out)
		}
	}
	return told, confirmed
}

// read is what was told of each socket, and when an RST reached it, by CLOCK_MONOTONIC.
func read(t *testing.T, out []byte, behind time.Duration) (states map[ends][]state, resets map[ends][]time.Duration) {
	t.Helper()
	states, resets = map[ends][]state{}, map[ends][]time.Duration{}
	for row := range bytes.Lines(out) {
		var e event
		if err := json.Unmarshal(row, &e); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		at := time.Duration(e.Time.UnixNano()) - behind
		switch {
		case e.Kind == "state":
			key := ends{local: address(t, e.Local), remote: address(t, e.Remote)}
			if !key.local.IsValid() {
				t.Errorf("a state without an address: %s", row)
			}
			states[key] = append(states[key], state{e.Seq, at, e.From, e.To, e.Source})
		case e.Kind == "segment" && e.Fate == "delivered" && slices.Contains(e.Flags, "RST"):
			key := ends{local: address(t, e.Dst), remote: address(t, e.Src)}
			resets[key] = append(resets[key], at)
		}
	}
	return states, resets
}

// address is invalid where there is none.
func address(t *testing.T, text string) (a netip.AddrPort) {
	t.Helper()
	if text != "" {
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}
