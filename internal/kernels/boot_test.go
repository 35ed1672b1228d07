package kernels

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// machines are QEMU's, by what Debian calls the architecture. Nothing is asked of the host's processor: the guest is
// as slow as it is, and the same on every host.
var machines = map[string]struct {
	qemu    string
	args    []string
	console string
}{
	"amd64": {"qemu-system-x86_64", []string{"-cpu", "Nehalem,-cx16"}, "ttyS0"},
	"arm64": {"qemu-system-aarch64", []string{"-M", "virt", "-cpu", "max,pauth-impdef=on"}, "ttyAMA0"},
}

const (
	bootTime = 120 * time.Second // until the guest's first word
	slack    = 30 * time.Second  // on top of what a step may take
)

// boot plays steps on a kernel, and tells of each answer as it comes. What it returns is the kernel's release.
func boot(ctx context.Context, k Kernel, image, initrd, more string, steps []Step, tell func(Step, Answer)) (release string, err error) {
	m := machines[k.Arch]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := append(slices.Clone(m.args), "-accel", "tcg,thread=single", "-m", "1024", "-smp", "1", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", image, "-initrd", initrd, "-append", "console="+m.console+" quiet loglevel=4 panic=-1 rdinit=/init "+more)
	cmd := exec.CommandContext(ctx, m.qemu, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer cmd.Wait()
	defer cancel()

	lines := make(chan string)
	go func() {
		defer close(lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			select {
			case lines <- strings.TrimRight(line, "\r\n"):
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()

	var tail []string // what the console said last
	for next, wait := -1, bootTime; next < len(steps); {
		select {
		case <-ctx.Done():
			return release, ctx.Err()
		case <-time.After(wait):
			return release, hung(next, steps, fmt.Sprintf("the guest has said nothing for %v", wait), tail)
		case line, more := <-lines:
			if !more {
				return release, hung(next, steps, "the guest ended", tail)
			}
			report, is := strings.CutPrefix(line, mark)
			if !is {
				tail = append(tail[max(0, len(tail)-20):], line)
				continue
			}
			var a Answer
			if err := json.Unmarshal([]byte(report), &a); err != nil || a.Step != next {
				return release, hung(next, steps, "not a report: "+line, tail)
			}
			if next < 0 {
				if a.Status != 0 {
					return "", fmt.Errorf("the guest: %s", a.Says)
				}
				release = a.Says[0]
			} else {
				tell(steps[next], a)
			}
			if next++; next < len(steps) {
				wait = time.Duration(steps[next].Seconds)*time.Second + slack
			}
		}
	}
	return release, nil
}

func hung(next int, steps []Step, what string, tail []string) error {
	at := "while it booted"
	if next >= 0 {
		at = "at " + steps[next].String()
	}
	return fmt.Errorf("%s %s; the console's last lines:\n%s", what, at, strings.Join(tail, "\n"))
}

// build makes what runs in the guest: this test binary as its first process, the commands, the packages' tests.
func build(arch, dir string) (archive, error) {
	a := archive{"etc/passwd": []byte("root:x:0:0::/tmp:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n")}
	for _, b := range []struct{ at, pkg string }{
		{"bin/echoc", "./cmd/echoc"}, {"bin/echod", "./cmd/echod"},
		{"init", "./internal/kernels"}, {"test/sockapi/test", "./sockapi"}, {"test/tcpinfo/test", "./tcpinfo"},
	} {
		out := filepath.Join(dir, arch+"-"+filepath.Base(filepath.Dir(b.at))+filepath.Base(b.at))
		args := []string{"build"}
		if !strings.HasPrefix(b.pkg, "./cmd/") {
			args = []string{"test", "-c"}
		}
		cmd := exec.Command("go", append(args, "-trimpath", "-ldflags=-s", "-o", out, b.pkg)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build %s: %w\n%s", b.pkg, err, said)
		}
		if err := a.addFile(b.at, out); err != nil {
			return nil, err
		}
	}
	for _, pkg := range testedPackages {
		err := filepath.WalkDir(filepath.Join(pkg, "testdata"), func(file string, d os.DirEntry, err error) error {
			if os.IsNotExist(err) || err == nil && d.IsDir() {
				return nil
			}
			if err != nil {
				return err
			}
			return a.addFile("test/"+filepath.ToSlash(file), file)
		})
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

// pack writes the guest's initramfs.
func pack(file string, a archive, steps []Step) error {
	plan, err := json.Marshal(steps)
	if err != nil {
		return err
	}
	a[strings.TrimPrefix(planFile, "/")] = plan
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	return a.writeTo(out)
}
