// Package owner tells which processes have a socket open, as far as /proc shows it to this user.
package owner

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Holder is a descriptor of a process that leads to a socket.
type Holder struct {
	Process string `json:"process"` // its name, as /proc/PID/comm has it
	PID     int    `json:"pid"`
	FD      int    `json:"fd"`
}

func (h Holder) String() string { return fmt.Sprintf("%s (pid %d, fd %d)", h.Process, h.PID, h.FD) }

// Name is the process, whichever descriptor it is.
func (h Holder) Name() string { return fmt.Sprintf("%s (pid %d)", h.Process, h.PID) }

// Sockets are the holders of every socket by its inode, in the order of their PIDs. An ordinary user may read the
// descriptors of own processes alone.
func Sockets() map[uint32][]Holder {
	all := map[uint32][]Holder{}
	var pids []int
	for _, name := range names("/proc") {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		add(all, pid)
	}
	return all
}

// Of are the holders of the socket of that inode; 0 is a socket that nobody has open.
func Of(inode uint32) []Holder {
	if inode == 0 {
		return nil
	}
	return Sockets()[inode]
}

// add goes through one process's descriptors. What ends meanwhile, or is another user's, has none.
func add(all map[uint32][]Holder, pid int) {
	process, dir := "", fmt.Sprintf("/proc/%d/", pid)
	for _, name := range names(dir + "fd") {
		to, err := os.Readlink(dir + "fd/" + name)
		inode, is := socketInode(to)
		if err != nil || !is {
			continue
		}
		if process == "" {
			process = Process(pid)
		}
		fd, _ := strconv.Atoi(name)
		all[inode] = append(all[inode], Holder{process, pid, fd})
	}
}

// socketInode reads what a descriptor of a socket leads to: socket:[4026531840].
func socketInode(to string) (uint32, bool) {
	number, is := strings.CutPrefix(to, "socket:[")
	if !is {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32)
	return uint32(n), err == nil
}

// Process is the name of a process; "" of none.
func Process(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return unbroken(strings.TrimSuffix(string(name), "\n"))
}

// Began is when a process began, as /proc/PID/stat has it: of two that have the same number, one after the other, it
// differs. It is "" of none.
func Began(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:]) // a name may have any bytes in it
	if fields := strings.Fields(rest); len(fields) > 19 {
		return fields[19] // 22 of proc_pid_stat(5), whose first two end with the name
	}
	return ""
}

// unbroken has \xc3 for a byte that is no UTF-8, as a name has where the kernel cut it after 15 bytes: in JSON there is
// no such byte.
func unbroken(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[0])
		} else {
			b.WriteString(name[:n])
		}
		name = name[n:]
	}
	return b.String()
}

// names are what is in a folder; nothing of one that cannot be read.
func names(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.Readdirnames(-1)
	return list
}
