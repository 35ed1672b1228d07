package states

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kernel is a trace instance that sees the transitions made by this process' threads and by what they start.
type kernel struct {
	t   *testing.T
	dir string
}

// tracepoint opens one, or skips.
func tracepoint(t *testing.T) kernel {
	t.Helper()
	root, err := tracefs()
	if err != nil {
		t.Skipf("needs tracefs (root): %v", err)
	}
	t.Cleanup(func() { unix.Close(root) })
	k := kernel{t, fmt.Sprintf("/proc/self/fd/%d/instances/states-%d-%d", root, os.Getpid(), time.Now().UnixNano())}
	if err := os.Mkdir(k.dir, 0o700); err != nil {
		t.Skipf("needs trace instances: %v", err)
	}
	t.Cleanup(func() {
		k.put("events/sock/inet_sock_set_state/enable", "0")
		if err := os.Remove(k.dir); err != nil {
			t.Error(err)
		}
	})
	k.put("trace_clock", "mono")
	k.put("options/event-fork", "1")
	threads, _ := filepath.Glob("/proc/self/task/*")
	for i, thread := range threads {
		threads[i] = filepath.Base(thread)
	}
	k.put("set_event_pid", strings.Join(threads, " "))
	k.put("events/sock/inet_sock_set_state/enable", "1")
	return k
}

// tracefs is a mount of it that stands at no path.
func tracefs() (fd int, err error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

func (k kernel) put(file, text string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, file), []byte(text), 0); err != nil {
		k.t.Error(err)
	}
}

// transition is a line of the tracepoint. Times are of CLOCK_MONOTONIC.
type transition struct {
	at            time.Duration
	local, remote netip.AddrPort
	from, to      string // as RFC 9293 names them
}

var line = regexp.MustCompile(`(\d+)\.(\d{6}): inet_sock_set_state: family=(\w+) protocol=IPPROTO_TCP sport=(\d+) dport=(\d+) ` +
	`saddr=(\S+) daddr=(\S+) saddrv6=(\S+) daddrv6=(\S+) oldstate=(\w+) newstate=(\w+)`)

// take is what has been told since it was last asked.
func (k kernel) take() (told []transition) {
	k.t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, "trace"))
	if err != nil {
		k.t.Fatal(err)
	}
	for row := range strings.Lines(string(text)) {
		if strings.HasPrefix(row, "#") {
			continue
		}
		tr, err := parse(row)
		if err != nil {
			k.t.Fatal(err)
		}
		told = append(told, tr)
	}
	k.put("trace", "")
	return told
}

func parse(row string) (tr transition, err error) {
	m := line.FindStringSubmatch(row)
	if m == nil {
		return tr, fmt.Errorf("the tracepoint says %q", row)
	}
	local, remote := m[6], m[7]
	if m[3] == "AF_INET6" {
		local, remote = m[8], m[9]
	}
	if tr.local, err = netip.ParseAddrPort(join(local, m[4])); err != nil {
		return tr, err
	}
	if tr.remote, err = netip.ParseAddrPort(join(remote, m[5])); err != nil {
		return tr, err
	}
	seconds, _ := strconv.ParseInt(m[1], 10, 64)
	micros, _ := strconv.ParseInt(m[2], 10, 64)
	tr.at = time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond
	tr.from, tr.to = names[m[10]], names[m[11]]
	if tr.from == "" || tr.to == "" {
		return tr, fmt.Errorf("the tracepoint says %s, %s", m[10], m[11])
	}
	return tr, nil
}

func join(addr, port string) string {
	if strings.Contains(addr, ":") {
		addr = "[" + addr + "]"
	}
	return addr + ":" + port
}

var names = map[string]string{
	"TCP_ESTABLISHED": "ESTABLISHED", "TCP_SYN_SENT": "SYN-SENT", "TCP_SYN_RECV": "SYN-RECEIVED", "TCP_FIN_WAIT1": "FIN-WAIT-1",
	"TCP_FIN_WAIT2": "FIN-WAIT-2", "TCP_CLOSE": "CLOSED", "TCP_CLOSE_WAIT": "CLOSE-WAIT", "TCP_LAST_ACK": "LAST-ACK",
	"TCP_LISTEN": "LISTEN", "TCP_CLOSING": "CLOSING", "TCP_NEW_SYN_RECV": "SYN-RECEIVED",
}

// monotonic is how far CLOCK_MONOTONIC is behind the wall clock, and how exactly that is known.
func monotonic(t *testing.T) (behind, within time.Duration) {
	t.Helper()
	within = time.Hour
	for range 200 {
		var before, wall, after unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
			t.Fatal(err)
		}
		unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &after)
		if took := time.Duration(after.Nano() - before.Nano()); took < within {
			within, behind = took, time.Duration(wall.Nano()-before.Nano())
		}
	}
	return behind, within
}
