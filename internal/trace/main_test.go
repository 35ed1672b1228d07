package trace

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Some tests need a process that ends in a way of its own, or whose rights are its own: the test program again.

const childVariable = "SOCKLIFE_TRACE_CHILD"

// The tests wait for the kernel most of the time. So many of them wait beside each other, unless -parallel says how
// many.
const waiters = 8

func TestMain(m *testing.M) {
	if play := children[os.Getenv(childVariable)]; play != nil {
		if err := play(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	os.Exit(m.Run())
}

// children are what such a process does. It says on stdout what the test wants to know, and waits on stdin for the
// test.
var children = map[string]func() error{
	"hold": func() error {
		t, err := announce()
		if err != nil {
			return err
		}
		io.Copy(io.Discard, os.Stdin)
		return t.Close()
	},
	"interrupted": func() (err error) {
		ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT)
		defer stop()
		t, err := announce()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		return t.Run(ctx, func(Event) {}, nil)
	},
	"panics": func() error {
		t, err := announce()
		if err != nil {
			return err
		}
		defer t.Close()
		io.Copy(io.Discard, os.Stdin)
		panic("as the test wants")
	},
	"where": func() error {
		root, err := openTracefs()
		if err == nil {
			fmt.Println(root.Name())
		}
		return err
	},
}

func announce() (*Trace, error) {
	t, err := Open()
	if err == nil {
		fmt.Println(t.in.name)
	}
	return t, err
}

type child struct {
	*exec.Cmd
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

// command prepares a process that plays one of the children.
func command(t testing.TB, play string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+play)
	return cmd
}

func start(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &child{cmd, t, in, bufio.NewReader(out)}
}

// line is what the child says.
func (c *child) line() string {
	c.t.Helper()
	text, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatal("the child says nothing: ", err)
	}
	return strings.TrimSpace(text)
}

// rest waits for the child to end, and is what it said until then.
func (c *child) rest() (string, error) {
	c.in.Close()
	b, _ := io.ReadAll(c.out)
	return string(b), c.Wait()
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}
