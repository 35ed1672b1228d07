package kernels

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// planFile is where the guest's steps are, in its initramfs; modulesDir, its modules.
const (
	planFile   = "/plan.json"
	modulesDir = "/modules"
)

// mark begins a line of the console that is a report, and not the kernel's.
const mark = "@@ "

// An Answer is what the guest says of a step; the first, of step -1, says which kernel it is.
type Answer struct {
	Step   int      `json:"step"`
	Status int      `json:"status"` // -1: killed, it took too long
	MS     int64    `json:"ms"`
	Says   []string `json:"says,omitempty"`  // what failed; what a refusal says
	Again  bool     `json:"again,omitempty"` // it failed once, as it says, and held when it was played again
}

// guest is the first process of the guest: it does its steps, one after the other, and says over the console what came
// out.
func guest() {
	defer unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // -no-reboot makes that the end
	if err := mountAll(); err != nil {
		fmt.Println("mount:", err)
		return
	}
	console, err := os.OpenFile("/dev/console", os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer unix.Sync()
	answer := func(a Answer) {
		b, _ := json.Marshal(a)
		fmt.Fprintf(console, "\n%s%s\n", mark, b)
	}
	var steps []Step
	b, err := os.ReadFile(planFile)
	if err == nil {
		err = json.Unmarshal(b, &steps)
	}
	if err != nil {
		answer(Answer{Step: -1, Status: 1, Says: []string{err.Error()}})
		return
	}
	answer(Answer{Step: -1, Says: []string{release()}})
	for i, s := range steps {
		began := time.Now()
		a := s.do()
		if failed := a; failed.Status == 1 && s.Row != "" { // an emulated processor may stand still for seconds
			if a = s.do(); a.Status == 0 {
				a.Again, a.Says = true, failed.Says
			}
		}
		a.Step, a.MS = i, time.Since(began).Milliseconds()
		answer(a)
	}
}

func release() string {
	var u unix.Utsname
	unix.Uname(&u)
	return unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// mountAll makes of the initramfs what programs expect to find.
func mountAll() error {
	for _, m := range []struct{ fs, at string }{
		{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tracefs", "/sys/kernel/tracing"},
	} {
		os.MkdirAll(m.at, 0o755)
		if err := unix.Mount(m.fs, m.at, m.fs, 0, ""); err != nil {
			return fmt.Errorf("%s at %s: %w", m.fs, m.at, err)
		}
	}
	return errors.Join(os.Chmod("/tmp", 0o777|os.ModeSticky), up("lo"))
}

// up brings an interface up.
func up(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// load loads a module and what it needs; what the kernel has already is fine.
func load(names []string) error {
	for _, name := range names {
		file, err := os.Open(filepath.Join(modulesDir, name+".ko"))
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(file.Fd()), "", 0)
		file.Close()
		if err != nil && err != unix.EEXIST {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// prepare does what is no program: it makes the guest another.
var prepare = map[string]func(args []string) error{
	"load":   load,
	"unload": func(a []string) error { return unix.DeleteModule(a[0], 0) },
	// devtmpfs makes the node 0600; udev, where there is one, makes it 0666.
	"open-tun":   func([]string) error { return os.Chmod("/dev/net/tun", 0o666) },
	"hidepid":    func(a []string) error { return unix.Mount("proc", "/proc", "proc", unix.MS_REMOUNT, "hidepid="+a[0]) },
	"no-tracefs": func([]string) error { return unix.Unmount("/sys/kernel/tracing", 0) },
	"sysctl": func(a []string) error {
		return os.WriteFile("/proc/sys/"+strings.ReplaceAll(a[0], ".", "/"), []byte(a[1]), 0)
	},
}

// ordinary is the uid and gid of the user who is not root.
const ordinary = 1000

func (s Step) do() (a Answer) {
	if do := prepare[s.Argv[0]]; do != nil {
		if err := do(s.Argv[1:]); err != nil {
			return Answer{Status: 1, Says: []string{strings.Join(s.Argv, " ") + ": " + err.Error()}}
		}
		return a
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.Seconds)*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Argv[0], s.Argv[1:]...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp", "LC_ALL=C.UTF-8", "TERM=dumb"}
	cmd.SysProcAttr = s.credentials()
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return Answer{Status: -1, Says: append(said(&out, &errs), fmt.Sprintf("not done after %d s", s.Seconds))}
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Answer{Status: 1, Says: []string{err.Error()}}
	}
	if a.Status = cmd.ProcessState.ExitCode(); a.Status != 0 {
		a.Says = said(&out, &errs)
	}
	return a
}

// credentials are the user's and, where asked for, a user namespace's.
func (s Step) credentials() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	switch {
	case s.Where == userNS: // the user is root there, and nowhere else
		attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNET
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: ordinary, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: ordinary, Size: 1}}
		attr.Credential = &syscall.Credential{NoSetGroups: true}
	case s.User != "root":
		attr.Credential = &syscall.Credential{Uid: ordinary, Gid: ordinary}
	}
	return attr
}

// said is what a program that failed said of it: checks that were not met, tests that failed, its last words on
// standard error.
func said(out, errs io.Reader) (list []string) {
	all, _ := io.ReadAll(out)
	for line := range strings.Lines(string(all)) {
		var e struct {
			Kind, Side, Expect, Got string
			OK                      bool
		}
		switch {
		case json.Unmarshal([]byte(line), &e) == nil && e.Kind == "check" && !e.OK:
			list = append(list, fmt.Sprintf("%s: want %s; got %s", e.Side, e.Expect, e.Got))
		case strings.Contains(line, "--- FAIL") || strings.Contains(line, "_test.go:") || strings.Contains(line, "panic:"):
			list = append(list, strings.TrimSpace(line))
		case strings.HasPrefix(line, "  ✗"):
			list = append(list, strings.TrimSpace(line))
		}
	}
	all, _ = io.ReadAll(errs)
	if words := strings.TrimSpace(string(all)); words != "" {
		lines := strings.Split(words, "\n")
		list = append(list, lines[max(0, len(lines)-3):]...)
	}
	return list[:min(len(list), 12)]
}
