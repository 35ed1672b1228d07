package trace

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mountPoint is the place for tracefs.
const mountPoint = "/sys/kernel/tracing"

// openTracefs opens the root of tracefs: where it is mounted already, else through a mount of our own that stands at no
// path, so that nobody else sees it and nothing is left of it however we end. Files are then reached through open
// directories and not by paths: what is opened stays what it is whatever gets mounted over it.
//
// One that is in the usual place goes first for two reasons: an administrator may have given it to a group, which needs
// no other privilege; and all mounts are views of the one tracefs, whose ownership a new mount resets on some kernels.
// One in another place is somebody's, who may want to unmount it while we run.
func openTracefs() (*os.Root, error) {
	if root, ok := openMounted(); ok {
		return root, nil
	}
	root, err := mountDetached()
	if errors.Is(err, unix.ENOSYS) {
		root, err = mountAndDetach()
	}
	return root, err
}

// openMounted opens the mount point if what is to be seen there is a tracefs that can be written to.
func openMounted() (*os.Root, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(mountPoint, &st); err != nil || st.Type != unix.TRACEFS_MAGIC || st.Flags&unix.ST_RDONLY != 0 {
		return nil, false
	}
	root, err := os.OpenRoot(mountPoint)
	return root, err == nil
}

// mountDetached makes a mount that is attached nowhere (fsmount(2), Linux 5.2): it lasts as long as something in it is
// open.
func mountDetached() (*os.Root, error) {
	fsfd, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fsfd)
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsmount", err)
	}
	defer unix.Close(fd)
	return os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", fd))
}

// mountAndDetach does the same where fsmount(2) is missing: it mounts in a directory of its own, opens it, and detaches
// the mount.
func mountAndDetach() (*os.Root, error) {
	dir, err := os.MkdirTemp("", "socklife-tracefs-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(dir)
	if err := unix.Mount("tracefs", dir, "tracefs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return nil, os.NewSyscallError("mount", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	return os.OpenRoot(dir)
}
