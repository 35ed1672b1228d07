package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// prefix begins the names of our instances: socklife-PID-N.
const prefix = "socklife-"

var instanceNumber atomic.Int64

// instance is a trace of our own: its buffers, clock, filter and enabled events are nobody else's
// (Documentation/trace/ftrace.rst, "Instances").
type instance struct {
	*os.Root
	name string
	all  *os.Root // the directory it is in
	free *os.File // its free_buffer, held open: see hold
}

// newInstance makes one, and removes those that earlier runs of ours left behind because they were killed.
func newInstance(tracefs *os.Root) (*instance, error) {
	all, err := tracefs.OpenRoot("instances")
	if err != nil {
		return nil, err
	}
	in := &instance{all: all}
	if err := in.make(); err != nil {
		all.Close()
		return nil, err
	}
	return in, nil
}

// make makes the directory. Between that and the moment we hold it nobody may sweep: opening a file of an instance that
// is being removed can even open another one's, which got the memory. So whoever makes one shares a lock, and whoever
// sweeps has it alone. It is on the directory itself, which is the same in every mount and every namespace.
func (in *instance) make() error {
	gate, err := in.all.Open(".")
	if err != nil {
		return err
	}
	defer gate.Close()
	if flock(gate, unix.LOCK_EX, 3*time.Second) == nil {
		in.sweep(gate) // else so many make one just now that this is left to the next
	}
	if err := flock(gate, unix.LOCK_SH, 30*time.Second); err != nil {
		return os.NewSyscallError("flock instances", err)
	}
	for err = fs.ErrExist; errors.Is(err, fs.ErrExist); { // in another PID namespace a process has our number
		in.name = fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), instanceNumber.Add(1))
		err = in.all.Mkdir(in.name, 0o700)
	}
	if err != nil {
		return err
	}
	if err = in.hold(); err != nil {
		in.all.Remove(in.name)
	}
	return err
}

func flock(f *os.File, how int, timeout time.Duration) error {
	return retry(timeout, func() error { return unix.Flock(int(f.Fd()), how|unix.LOCK_NB) }, unix.EWOULDBLOCK, unix.EINTR)
}

// hold opens the instance and keeps its free_buffer open, for two things. The kernel refuses to remove an instance of
// which a file is open: that is how others see that its owner lives. And when that file is closed, by us or because we
// were killed, the kernel stops the trace and gives the memory back.
func (in *instance) hold() (err error) {
	if in.Root, err = in.all.OpenRoot(in.name); err != nil {
		return err
	}
	if in.free, err = in.OpenFile("free_buffer", os.O_WRONLY, 0); err != nil {
		in.Close()
	}
	return err
}

// sweep removes the instances of ours that nobody holds. The process numbers in the names would not tell: they are
// reused, and mean nothing in another PID namespace.
func (in *instance) sweep(all *os.File) {
	names, _ := all.Readdirnames(-1)
	for _, name := range names {
		numbers, ours := strings.CutPrefix(name, prefix)
		if ours && strings.Trim(numbers, "0123456789-") == "" {
			in.all.Remove(name)
		}
	}
}

// write hands a control file its text: tracefs takes each write(2) as a whole command.
func (in *instance) write(name, text string) error {
	f, err := in.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// retry calls f until it returns none of those errors, or the time is up.
func retry(timeout time.Duration, f func() error, again ...error) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(2 * time.Millisecond) {
		err := f()
		if !slices.ContainsFunc(again, func(e error) bool { return errors.Is(err, e) }) || time.Now().After(deadline) {
			return err
		}
	}
}

// setUp makes an instance ready to be enabled.
func (in *instance) setUp(bufferKB int, filter string) error {
	for _, set := range []struct {
		file, value string
		optional    bool
	}{
		{"trace_clock", "mono", false}, // Go's time.Now is of the same clock; it also empties the buffers
		{"buffer_size_kb", fmt.Sprint(bufferKB), false},
		{"buffer_percent", "0", true},          // wake a reader at the first event (Linux 5.0)
		{"options/disable_on_free", "1", true}, // see hold
		{transitions + "/filter", filter, false},
		{transitions + "/enable", "1", false},
	} {
		err := in.write(set.file, set.value)
		if err != nil && !(set.optional && errors.Is(err, unix.ENOENT)) {
			return err
		}
	}
	return nil
}

// remove ends the trace and removes the instance. A process that is being started holds our descriptors for a moment,
// until its exec: the kernel says EBUSY until then.
func (in *instance) remove() error {
	in.write(transitions+"/enable", "0")
	in.free.Close()
	in.Close()
	err := retry(2*time.Second, func() error { return in.all.Remove(in.name) }, unix.EBUSY)
	in.all.Close()
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV): // another run of ours was faster, once we had let go
		return nil
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("remove the trace instance %s: somebody else has one of its files open; the next run removes it", in.name)
	case err != nil:
		return fmt.Errorf("remove the trace instance %s: %w", in.name, err)
	}
	return nil
}
