package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// A job is a scenario in one of its forms: embedded, two, wire.
type job struct{ name, form string }

const (
	insideArg = "-inside"        // this program, in the namespace of one run
	atMost    = 90 * time.Second // for one run
	drain     = 15 * time.Second // for echod to end, once echoc has
)

// play plays a scenario once, with the commands in bin, in a network namespace of its own: this program starts itself
// in it.
func play(tmp, bin string, j job) (run, error) {
	dir, err := os.MkdirTemp(tmp, j.name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	args := []string{insideArg, dir, bin, j.form, j.name}
	if *strace {
		args = append(args, "strace")
	}
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	ends, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("in a network namespace of its own: %w", err)
	}
	return read(dir, string(ends), j)
}

// read gives what the commands of a run said. Under strace their output is not compared: how they ended is.
func read(dir, ends string, j job) (run, error) {
	var all run
	for _, end := range strings.Split(strings.TrimSpace(ends), "\n") {
		all = append(all, line{lane: "exit", text: end})
	}
	for _, who := range []string{"echod", "echoc"} {
		out, err := os.ReadFile(filepath.Join(dir, who+".out"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if *strace {
			trace, err := os.ReadFile(filepath.Join(dir, who+".strace"))
			if err != nil {
				return nil, err
			}
			all = append(all, traced(who, string(trace))...)
			continue
		}
		said, err := os.ReadFile(filepath.Join(dir, who+".err"))
		if err != nil {
			return nil, err
		}
		process := ""
		if j.form == "two" {
			process = who + "'s "
		}
		lines, err := events(process, string(out))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", who, err)
		}
		all = append(append(all, lines...), complaints(who, string(said))...)
	}
	return all, nil
}

// inside is the run itself: inside DIR BIN FORM NAME [strace]. On standard output it says how each command ended.
func inside(args []string) {
	dir, bin, form, name := args[0], args[1], args[2], args[3]
	if err := loopbackUp(); err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	start := func(who string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, who), args...)
		if len(os.Args) > 6 {
			cmd = exec.CommandContext(ctx, "strace", append([]string{"-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", "trace=" + straced,
				"-o", filepath.Join(dir, who+".strace"), filepath.Join(bin, who)}, args...)...)
		}
		// A group of its own: strace passes no signal on, and a scenario may have started processes too.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		out, err := os.Create(filepath.Join(dir, who+".out"))
		if err != nil {
			fail(err)
		}
		said, err := os.Create(filepath.Join(dir, who+".err"))
		if err != nil {
			fail(err)
		}
		cmd.Stdout, cmd.Stderr = out, said
		if err := cmd.Start(); err != nil {
			fail(err)
		}
		return cmd
	}
	end := func(who string, cmd *exec.Cmd, how string) {
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			fail(err)
		}
		if ctx.Err() != nil {
			how = fmt.Sprintf(", killed (%v)", context.Cause(ctx))
		}
		fmt.Printf("%s ends: %s%s\n", who, cmd.ProcessState, how)
	}
	switch form {
	case "embedded":
		end("echoc", start("echoc", "--json", name), "")
	case "wire":
		end("echoc", start("echoc", "--wire", "--json", name), "")
	case "two":
		server := start("echod", "--json", "--runs", "1", "--listen", "127.0.0.1:0", name)
		addr := address(ctx, dir)
		client := start("echoc", "--json", name, addr)
		end("echoc", client, "")
		// A client that refuses to begin leaves a server that waits.
		patience := drain
		if client.ProcessState.ExitCode() > 1 {
			patience = 0
		}
		late := time.AfterFunc(patience, func() { syscall.Kill(-server.Process.Pid, syscall.SIGTERM) })
		end("echod", server, "")
		if !late.Stop() && patience > 0 {
			fmt.Println("echod had to be told to end")
		}
	default:
		fail(fmt.Errorf("no such form: %s", form))
	}
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:[1-9]\d*)`)

// address waits until echod says where it listens. Where it does not say so the client finds nobody, and that is shown.
func address(ctx context.Context, dir string) string {
	for ctx.Err() == nil {
		for _, file := range []string{"echod.err", "echod.out"} {
			said, _ := os.ReadFile(filepath.Join(dir, file))
			if m := listening.FindSubmatch(said); m != nil {
				return string(m[1])
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return "127.0.0.1:1"
}

// loopbackUp is  ip link set lo up.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("ip link set lo up: %w", errno)
	}
	return nil
}
