package e2e

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// clockAhead is what a merge says of another kernel's clock.
var clockAhead = regexp.MustCompile(`the server's clock is ([0-9.]+) ms ahead, ±([0-9.]+) ms`)

// otherHost is a network namespace that is joined to the test's by a cable (veth): the process that keeps it. The
// test's end has the address 192.0.2.1, the other 192.0.2.2.
func otherHost(t *testing.T) (pid string) {
	t.Helper()
	if unix.Geteuid() != 0 {
		t.Skip("needs root: namespaces with a cable between them")
	}
	for _, tool := range []string{"ip", "unshare", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	host := command(t, "/usr/bin/env", "unshare", "--net", "sh", "-c", "echo made; exec cat")
	in, err := host.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); host.Wait() })
	if n, err := out.Read(make([]byte, 8)); n == 0 {
		t.Skipf("no namespace here: %v", err)
	}
	pid = strconv.Itoa(host.Process.Pid)
	for _, line := range []string{
		"ip link add here type veth peer name there netns " + pid,
		"ip addr add 192.0.2.1/24 dev here", "ip link set here up",
		"nsenter -t " + pid + " -n ip addr add 192.0.2.2/24 dev there", "nsenter -t " + pid + " -n ip link set there up", "nsenter -t " + pid + " -n ip link set lo up",
	} {
		if status, _, errs := run(t, "/usr/bin/env", strings.Fields(line)...); status != 0 {
			t.Skipf("%s: %s", line, errs)
		}
	}
	return pid
}

// Two hosts, of which neither sees the other's sockets and the server's clock is 7 s ahead: their records become one
// timeline in the order of cause and effect, which says so, with the segments that both have watched.
func TestTwoRecordsOfTwoHosts(t *testing.T) {
	for _, flags := range []string{"", "--capture"} {
		t.Run("flags "+flags, func(t *testing.T) {
			beside(t)
			pid := otherHost(t)
			dir := t.TempDir()
			mine, theirs := filepath.Join(dir, "client"), filepath.Join(dir, "server")
			with := append(strings.Fields(flags), "--record")
			args := append([]string{"nsenter", "-t", pid, "-n", filepath.Join(bin, "echod"), "--listen", "192.0.2.2:7007", "--json", "--runs", "1"}, with...)
			s := startAs(t, command(t, "/usr/bin/env", append(args, theirs, "half-close")...))
			status, _, errs := run(t, "echoc", append(append([]string{"-q"}, with...), mine, "half-close", s.addr)...)
			if status != 0 || s.wait(t) != 0 {
				t.Fatalf("status %d: %s%s", status, errs, s.stderr())
			}
			shifted := shiftedClock(t, theirs, 7*time.Second)
			all, note := merged(t, shifted, mine)
			failed(t, all)
			var ahead, within float64
			if m := clockAhead.FindStringSubmatch(note); m != nil {
				fmt.Sscan(m[1]+" "+m[2], &ahead, &within)
			}
			if within == 0 || math.Abs(ahead-7000) > within+0.001 {
				t.Error(note)
			}
			segments := map[string]int{}
			for _, e := range all {
				if e.text("kind") == "segment" {
					segments[e.text("header")]++
				}
			}
			if (flags != "") != (len(segments) > 5) {
				t.Errorf("%d segments", len(segments))
			}
			for header, n := range segments {
				if n > 1 {
					t.Errorf("%s stands there %d times", header, n)
				}
			}
		})
	}
}
