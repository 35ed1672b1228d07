package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// server is an echo server in a process of its own, on one CPU.
type server struct {
	name string
	port int
	cmd  *exec.Cmd
}

// serverCommand says how one is started; it writes its port into a file, or on standard error (socat).
type serverCommand struct {
	name  string
	needs string // a command
	args  func(dir, portFile string) ([]string, error)
}

// serverCommands are the contenders of the echo comparisons. A comparison starts one after the other.
var serverCommands = []serverCommand{
	{"epoll loop in C", "gcc", func(dir, portFile string) ([]string, error) {
		bin := filepath.Join(dir, "echo-c")
		if out, err := exec.Command("gcc", "-O2", "-Wall", "-o", bin, "c/echo.c").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("gcc: %w: %s", err, out)
		}
		return []string{bin, portFile}, nil
	}},
	{"echod", "", func(dir, portFile string) ([]string, error) {
		bin, err := command(dir, "echod")
		if err != nil {
			return nil, err
		}
		port, err := freePort() // with --quiet, as the others are, it says nothing
		if err != nil {
			return nil, err
		}
		answers(port, portFile)
		return []string{bin, "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--backlog", "4096", "--max-conns", "0", "--quiet"}, nil
	}},
	{"Go's net", "", func(_, portFile string) ([]string, error) {
		return []string{"/proc/self/exe", "serve-net", portFile}, nil
	}},
	{"gnet", "", func(_, portFile string) ([]string, error) {
		return []string{"/proc/self/exe", "serve-gnet", portFile}, nil
	}},
	{"socat", "socat", func(dir, _ string) ([]string, error) { // a process for each connection, and it says where it listens
		return []string{"socat", "-d", "-d", "TCP4-LISTEN:0,bind=127.0.0.1,nodelay,fork", "PIPE"}, nil
	}},
}

// listensOn is what socat says.
var listensOn = regexp.MustCompile(`listening on .*127\.0\.0\.1:([0-9]+)`)

// start starts a server and waits until it listens.
func (c *serverCommand) start(dir string) (*server, error) {
	portFile := filepath.Join(dir, "port")
	os.Remove(portFile)
	args, err := c.args(dir, portFile)
	if err != nil {
		return nil, err
	}
	s := &server{name: c.name, cmd: exec.Command(args[0], args[1:]...)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	said, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := onCPU(0, s.cmd.Start); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(said)
	told := make(chan int, 1)
	go func() {
		for lines.Scan() {
			if port := listensOn.FindStringSubmatch(lines.Text()); port != nil {
				number, _ := strconv.Atoi(port[1])
				told <- number
			}
		}
	}()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case s.port = <-told:
			return s, nil
		case <-time.After(5 * time.Millisecond):
			text, err := os.ReadFile(portFile)
			if err == nil && strings.HasSuffix(string(text), "\n") {
				s.port, err = strconv.Atoi(strings.TrimSpace(string(text)))
				return s, err
			}
		}
	}
	return nil, errors.Join(fmt.Errorf("%s does not listen", c.name), s.stop())
}

func (s *server) stop() error {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	return nil
}

// onCPU does something on that CPU alone. What it starts stays there.
func onCPU(n int, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		return err
	}
	one.Set(n)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("this takes two CPUs: %w", err)
	}
	return errors.Join(do(), unix.SchedSetaffinity(0, &was))
}

// cpu is the time that the threads of the server, and of the processes that it started, have had on a CPU, to the
// nanosecond.
func (s *server) cpu() (sum time.Duration, err error) { return s.cpuOf(s.cmd.Process.Pid) }

func (s *server) cpuOf(pid int) (sum time.Duration, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("%s: no /proc/PID/task/*/schedstat: %v", s.name, err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		var ns int64
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
		children, _ := os.ReadFile(filepath.Join(filepath.Dir(task), "children"))
		for _, child := range strings.Fields(string(children)) {
			number, err := strconv.Atoi(child)
			if err != nil {
				return 0, err
			}
			of, err := s.cpuOf(number)
			if err != nil {
				continue // it has ended
			}
			sum += of
		}
	}
	return sum, nil
}

// tellPort writes the port into the file, whole.
func tellPort(file string, port int) error {
	return os.WriteFile(file, []byte(strconv.Itoa(port)+"\n"), 0o600)
}

// freePort is a port that nobody has: the namespace is this program's own.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// answers has the port written into the file as soon as it can be connected to.
func answers(port int, file string) {
	go func() {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				c.Close()
				_ = tellPort(file, port)
				return
			}
		}
	}()
}

// serveNet is what one writes first in Go: a goroutine a connection.
func serveNet(portFile string) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := tellPort(portFile, l.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

// gnetEcho is gnet's own example of an echo server.
type gnetEcho struct {
	gnet.BuiltinEventEngine
	port     int
	portFile string
}

func (g *gnetEcho) OnBoot(gnet.Engine) gnet.Action {
	if err := tellPort(g.portFile, g.port); err != nil {
		return gnet.Shutdown
	}
	return gnet.None
}

func (g *gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	buf, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(buf); err != nil {
		return gnet.Close
	}
	return gnet.None
}

func serveGnet(portFile string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	return gnet.Run(&gnetEcho{port: port, portFile: portFile}, fmt.Sprintf("tcp://127.0.0.1:%d", port), gnet.WithNumEventLoop(1), gnet.WithReuseAddr(true))
}
