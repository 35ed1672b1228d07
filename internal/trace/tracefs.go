package trace

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// folder is an open directory of tracefs. Files are reached through it and not by paths from the root: what is opened
// stays what it is whatever gets mounted over it, and a mount that stands at no path can be used at all.
type folder struct {
	fd   int
	name string // for error messages
}

func (d folder) failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: path.Join(d.name, name), Err: err}
}

func (d folder) open(name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(d.fd, name, flags|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return fd, nil
		case err != unix.EINTR:
			return -1, d.failed("open", name, err)
		}
	}
}

func (d folder) folder(name string) (folder, error) {
	fd, err := d.open(name, unix.O_RDONLY|unix.O_DIRECTORY)
	return folder{fd, path.Join(d.name, name)}, err
}

func (d folder) close() { unix.Close(d.fd) }

// write hands text to a control file in one write(2): tracefs takes each write as a whole command.
func (d folder) write(name, text string) error {
	fd, err := d.open(name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		switch _, err = unix.Write(fd, []byte(text)); err {
		case nil:
			return nil
		case unix.EINTR:
		default:
			return d.failed("write", name, err)
		}
	}
}

func (d folder) read(name string) ([]byte, error) {
	fd, err := d.open(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path.Join(d.name, name))
	defer f.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}

// names lists the directory, sorted.
func (d folder) names() ([]string, error) {
	fd, err := d.open(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), d.name)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// openTracefs opens the root of tracefs: where it is mounted already, else through a mount of our own that stands at no
// path, so that nobody else sees it and nothing is left of it however we end.
//
// One that is in a usual place goes first for two reasons: an administrator may have given it to a group, which needs
// no other privilege; and all mounts are views of the one tracefs, whose ownership a new mount resets on some kernels.
// One in another place is somebody's, who may want to unmount it while we run.
func openTracefs() (folder, error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return folder{}, err
	}
	for _, at := range tracefsMounts(string(table)) {
		if root, ok := openMounted(at); ok {
			return root, nil
		}
	}
	root, err := mountDetached()
	if errors.Is(err, unix.ENOSYS) {
		root, err = mountAndDetach()
	}
	return root, err
}

// openMounted opens a mount point if what is to be seen there is a tracefs that can be written to. Another mount may
// hide it.
func openMounted(at string) (folder, bool) {
	fd, err := unix.Open(at, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return folder{}, false
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil || st.Type != unix.TRACEFS_MAGIC || st.Flags&unix.ST_RDONLY != 0 {
		unix.Close(fd)
		return folder{}, false
	}
	return folder{fd, at}, true
}

// usual are the places for tracefs, the one of today first.
var usual = []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}

// tracefsMounts lists in which of the usual places tracefs is mounted, by /proc/self/mountinfo (proc_pid_mountinfo(5)).
// A look at the place itself would not do: it makes debugfs mount it.
func tracefsMounts(mountinfo string) (points []string) {
	for line := range strings.Lines(mountinfo) {
		mount, fstype, ok := strings.Cut(line, " - ")
		f := strings.Fields(mount)
		if ok && len(f) >= 6 && f[3] == "/" && strings.HasPrefix(fstype, "tracefs ") && slices.Contains(usual, f[4]) {
			points = append(points, f[4])
		}
	}
	slices.SortFunc(points, func(a, b string) int { return slices.Index(usual, a) - slices.Index(usual, b) })
	return points
}

// mountDetached makes a mount that is attached nowhere (fsmount(2), Linux 5.2): it lasts as long as the descriptor.
func mountDetached() (folder, error) {
	fsfd, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return folder{}, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fsfd)
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return folder{}, os.NewSyscallError("fsconfig", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	return folder{fd, "tracefs"}, os.NewSyscallError("fsmount", err)
}

// mountAndDetach does the same where fsmount(2) is missing: it mounts in a directory of its own, opens it, and detaches
// the mount, which then lasts as long as the descriptor.
func mountAndDetach() (folder, error) {
	dir, err := os.MkdirTemp("", "socklife-tracefs-")
	if err != nil {
		return folder{}, err
	}
	defer os.Remove(dir)
	if err := unix.Mount("tracefs", dir, "tracefs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return folder{}, os.NewSyscallError("mount", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return folder{fd, "tracefs"}, os.NewSyscallError("open", err)
}
