package trace

import (
	"errors"
	"fmt"
	"os"
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
	folder
	short string // its name
	all   folder // the directory it is in
	free  int    // its free_buffer, held open: see hold
}

// newInstance makes one, and removes those that earlier runs of ours left behind because they were killed.
func newInstance(root folder) (*instance, error) {
	all, err := root.folder("instances")
	if err != nil {
		return nil, err
	}
	in := &instance{all: all, free: -1}
	if err := in.make(); err != nil {
		all.close()
		return nil, err
	}
	return in, nil
}

// make makes the directory. Between that and the moment we hold it nobody may sweep: opening a file of an instance that
// is being removed can even open another one's, which got the memory. So whoever makes one shares a lock, and whoever
// sweeps has it alone. It is on the directory itself, which is the same in every mount and every namespace.
func (in *instance) make() error {
	gate, err := in.all.open(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(gate)
	if flock(gate, unix.LOCK_EX, 3*time.Second) == nil {
		sweep(in.all) // else so many make one just now that this is left to the next
	}
	if err := flock(gate, unix.LOCK_SH, 30*time.Second); err != nil {
		return in.all.failed("flock", "", err)
	}
	for err = unix.EEXIST; err == unix.EEXIST; { // in another PID namespace a process has our number
		in.short = fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), instanceNumber.Add(1))
		err = unix.Mkdirat(in.all.fd, in.short, 0o700)
	}
	if err != nil {
		return in.all.failed("mkdir", in.short, err)
	}
	if err = in.hold(); err != nil {
		unix.Unlinkat(in.all.fd, in.short, unix.AT_REMOVEDIR)
	}
	return err
}

func flock(fd, how int, timeout time.Duration) error {
	return retry(timeout, func() error { return unix.Flock(fd, how|unix.LOCK_NB) }, unix.EWOULDBLOCK, unix.EINTR)
}

// hold opens the instance and keeps its free_buffer open, for two things. The kernel refuses to remove an instance of
// which a file is open: that is how others see that its owner lives. And when that file is closed, by us or because we
// were killed, the kernel stops the trace and gives the memory back.
func (in *instance) hold() (err error) {
	if in.folder, err = in.all.folder(in.short); err != nil {
		return err
	}
	if in.free, err = in.open("free_buffer", unix.O_WRONLY); err != nil {
		in.folder.close()
	}
	return err
}

// sweep removes the instances of ours that nobody holds. The process numbers in the names would not tell: they are
// reused, and mean nothing in another PID namespace.
func sweep(all folder) {
	names, err := all.names()
	if err != nil {
		return
	}
	for _, name := range names {
		numbers, ours := strings.CutPrefix(name, prefix)
		if ours && strings.Trim(numbers, "0123456789-") == "" {
			unix.Unlinkat(all.fd, name, unix.AT_REMOVEDIR)
		}
	}
}

// retry calls f until it returns none of those errors, or the time is up.
func retry(timeout time.Duration, f func() error, again ...error) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(2 * time.Millisecond) {
		err := f()
		retry := false
		for _, e := range again {
			retry = retry || errors.Is(err, e)
		}
		if !retry || time.Now().After(deadline) {
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
	unix.Close(in.free)
	in.folder.close()
	err := retry(2*time.Second, func() error {
		return unix.Unlinkat(in.all.fd, in.short, unix.AT_REMOVEDIR)
	}, unix.EBUSY, unix.EINTR)
	in.all.close()
	switch err {
	case nil, unix.ENOENT, unix.ENODEV: // the last two: another run of ours was faster, once we had let go
		return nil
	case unix.EBUSY:
		return fmt.Errorf("remove the trace instance %s: somebody else has one of its files open; the next run removes it", in.short)
	}
	return in.all.failed("rmdir", in.short, err)
}
