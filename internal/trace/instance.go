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
	in, err := makeInstance(all)
	if err != nil {
		all.close()
		return nil, err
	}
	return in, nil
}

func makeInstance(all folder) (*instance, error) {
	unlock, err := lock(all)
	if err != nil {
		return nil, err
	}
	defer unlock()
	sweep(all)
	for {
		name := fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), instanceNumber.Add(1))
		err := unix.Mkdirat(all.fd, name, 0o700)
		if err == unix.EEXIST {
			continue // a process with our number in another PID namespace
		}
		if err != nil {
			return nil, all.failed("mkdir", name, err)
		}
		in := &instance{short: name, all: all, free: -1}
		if err := in.hold(); err != nil {
			unix.Unlinkat(all.fd, name, unix.AT_REMOVEDIR)
			return nil, err
		}
		return in, nil
	}
}

// hold opens the instance and keeps its free_buffer open, for two things. The kernel refuses to remove an instance of which
// a file is open: that is how others see that its owner lives. And when that file is closed, by us or because we were
// killed, the kernel stops the trace and gives the memory back.
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
// reused, and mean nothing in another PID namespace. Whoever makes an instance has the lock until it holds it.
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

// lock takes a lock that our runs share. It is on the directory itself, which is the same in every mount and every
// namespace.
func lock(all folder) (unlock func(), err error) {
	fd, err := all.open(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	err = retry(10*time.Second, func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }, unix.EWOULDBLOCK, unix.EINTR)
	if err != nil {
		unix.Close(fd)
		return nil, all.failed("flock", "", err)
	}
	return func() { unix.Close(fd) }, nil
}

// retry calls f until it returns none of those errors, or the time is up.
func retry(patience time.Duration, f func() error, again ...error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
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
