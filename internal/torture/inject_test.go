package torture

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// called are the system calls that a target makes, and how often, most of the threads together.
func called(t *testing.T, of target) map[string]int {
	t.Helper()
	log := bin + "/calls"
	defer os.Remove(log)
	r := &result{}
	of.play(r, []string{"-o", log}, "", "", false)
	b, err := os.ReadFile(log)
	if err != nil || slices.Contains(bad, r.Verdict) {
		t.Fatalf("%s: %v, %+v", of.name, err, r)
	}
	calls := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z_0-9]+)\(`).FindAllStringSubmatch(string(b), -1) {
		calls[m[1]]++
	}
	return calls
}

func straced(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("needs strace: install it")
	}
}

// occurrences are the times at which a call is made to fail; a thread counts its own.
var occurrences = []int{1, 2, 5}

// injections have each call of each target fail with each of its errnos.
func injections(t *testing.T) (list []trial) {
	straced(t)
	unknown := map[string]bool{}
	for _, of := range targets() {
		calls := called(t, of)
		var mine []trial
		for _, call := range sorted(calls) {
			if errnosOf(call) == nil && !strings.Contains(unfailing, " "+call+" ") {
				unknown[call] = true
			}
			for _, when := range occurrences {
				if when > calls[call] {
					break
				}
				for _, errno := range errnosOf(call) {
					what := fmt.Sprintf("%s %s %d", call, errno, when)
					mine = append(mine, trial{kind: "inject", target: of.name, what: what, run: func(r *result) {
						of.play(r, []string{"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", call, errno, when)}, call, errno, false)
						if r.Done == 0 && !slices.Contains(bad, r.Verdict) {
							r.Verdict = idle
						}
					}})
				}
			}
		}
		list = append(list, some(mine, 5)...)
	}
	if len(unknown) > 0 {
		t.Errorf("no errnos are known of %q", sorted(unknown))
	}
	return list
}

// delays have each call of each target take longer. Nothing may come of that.
func delays(t *testing.T) (list []trial) {
	straced(t)
	for _, of := range targets() {
		calls := called(t, of)
		var mine []trial
		for _, call := range sorted(calls) {
			if strings.Contains(unfailing, " "+call+" ") || call == "futex" || call == "nanosleep" || call == "rt_sigaction" {
				continue // those that wait anyway, and what is done before main
			}
			for _, where := range []string{"delay_enter", "delay_exit"} {
				for _, when := range []int{1, 2, 5} {
					if when > calls[call] {
						break
					}
					mine = append(mine, trial{kind: "delay", target: of.name, what: fmt.Sprintf("%s %s %d", call, where, when), run: func(r *result) {
						of.play(r, []string{"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:%s=150000:when=%d", call, where, when)}, "", "", true)
					}})
				}
			}
		}
		list = append(list, some(mine, 3)...)
	}
	return list
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
