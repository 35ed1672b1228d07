// Package outfile makes a file that is complete or not there at all, or one that grows from its beginning, and that
// takes no other file's place unless it is told to.
package outfile

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrExists: there is such a file, and it was not said that it may be replaced.
var ErrExists = errors.New("there is such a file already: --overwrite replaces it")

var errNotOrdinary = errors.New("it is no ordinary file")

// File is one that is being written. Until Commit nobody finds it under its name.
type File struct {
	f         *os.File
	dir       *os.File
	base      string // its name in dir
	beside    string // the name that it has there meanwhile; "" where it has none
	overwrite bool
}

// Create begins a file, with the permissions of the user's umask. It is an error if there is one already, or with
// overwrite if that is no ordinary file: a symbolic link is not followed, and no device replaced.
func Create(path string, overwrite bool) (*File, error) {
	f, err := at(path, overwrite)
	if err != nil {
		return nil, err
	}
	if err = f.mayTakeItsName(); err == nil {
		err = f.open()
	}
	if err != nil {
		f.dir.Close()
		return nil, err
	}
	return f, nil
}

// at is a file that is to have that name, in a folder that is there.
func at(path string, overwrite bool) (*File, error) {
	dirName, base := filepath.Split(path)
	switch {
	case base == "" || base == "." || base == "..":
		return nil, errors.New("want the name of a file")
	case dirName == "":
		dirName = "."
	}
	dir, err := os.OpenFile(dirName, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, inner(err)
	}
	return &File{dir: dir, base: base, overwrite: overwrite}, nil
}

// mayTakeItsName looks at what has the file's name.
func (f *File) mayTakeItsName() error {
	var there unix.Stat_t
	err := unix.Fstatat(f.fd(), f.base, &there, unix.AT_SYMLINK_NOFOLLOW)
	switch kind := there.Mode & unix.S_IFMT; {
	case errors.Is(err, unix.ENOENT):
		return nil
	case err != nil:
		return err
	case kind == unix.S_IFLNK:
		return errors.New("it is a symbolic link, which is not followed: give the name of the file itself")
	case kind == unix.S_IFDIR:
		return unix.EISDIR
	case kind != unix.S_IFREG:
		return errNotOrdinary
	case !f.overwrite:
		return ErrExists
	}
	return nil
}

// open makes the file without a name or, where the file system has no such files, with one beside its own.
func (f *File) open() error {
	if linksByDescriptor() {
		fd, err := unix.Openat(f.fd(), ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
		if err == nil {
			f.f = os.NewFile(uintptr(fd), f.base)
			return nil
		}
		if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return f.openBeside()
}

// linksByDescriptor: /proc is there, through which a file without a name gets one.
func linksByDescriptor() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
}

func (f *File) openBeside() error {
	name := besideName()
	fd, err := unix.Openat(f.fd(), name, unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return err
	}
	f.f, f.beside = os.NewFile(uintptr(fd), f.base), name
	return nil
}

// besideName is one that nobody has, or can know before.
func besideName() string {
	b := make([]byte, 8)
	rand.Read(b)
	return ".part-" + hex.EncodeToString(b)
}

// Stream begins a file that is written as it comes: it has its name at once, and keeps what was written however the
// program ends. It takes no other file's place either, unless overwrite says so. A named pipe and a character device
// are written to as they are; of a pipe that nobody reads yet the error is ENXIO.
func Stream(path string, overwrite bool) (*os.File, error) {
	f, err := at(path, overwrite)
	if err != nil {
		return nil, err
	}
	defer f.dir.Close()
	if err := f.mayTakeItsName(); errors.Is(err, errNotOrdinary) {
		return f.device()
	} else if err != nil {
		return nil, err
	}
	if err := f.openBeside(); err != nil {
		return nil, err
	}
	if err := f.claim(); err != nil {
		unix.Unlinkat(f.fd(), f.beside, 0)
		f.f.Close()
		return nil, err
	}
	return f.f, nil
}

// claim gives a file that has a name beside its own that one.
func (f *File) claim() error {
	if f.overwrite {
		return f.replace()
	}
	err := f.take()
	switch {
	case errors.Is(err, unix.EEXIST):
		return ErrExists
	case err == nil && f.beside != "": // it has both
		unix.Unlinkat(f.fd(), f.beside, 0)
	}
	return err
}

// device opens what is no file but may be written to.
func (f *File) device() (*os.File, error) {
	fd, err := unix.Openat(f.fd(), f.base, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var opened unix.Stat_t
	if err := unix.Fstat(fd, &opened); err != nil || opened.Mode&unix.S_IFMT != unix.S_IFIFO && opened.Mode&unix.S_IFMT != unix.S_IFCHR {
		unix.Close(fd)
		return nil, cmp.Or(err, errNotOrdinary)
	}
	return os.NewFile(uintptr(fd), f.base), nil
}

// Write writes the next bytes.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// Commit gives the file its name: it is complete. Whatever the error, nothing else is left behind.
func (f *File) Commit() error {
	if f.f == nil {
		return fs.ErrClosed
	}
	defer f.Discard()
	if err := f.f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // which some file systems say
		return inner(err)
	}
	if f.overwrite {
		if err := f.mayTakeItsName(); err != nil {
			return err
		}
		return f.replace()
	}
	err := f.take()
	if errors.Is(err, unix.EEXIST) {
		return ErrExists
	}
	return err
}

// take gives the file its name, if nobody has that.
func (f *File) take() error {
	if f.beside == "" {
		return f.link(f.base)
	}
	err := unix.Renameat2(f.fd(), f.beside, f.fd(), f.base, unix.RENAME_NOREPLACE)
	switch {
	case err == nil:
		f.beside = ""
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS): // this file system cannot: a second name, and Discard takes the first
		return unix.Linkat(f.fd(), f.beside, f.fd(), f.base, 0)
	}
	return err
}

// replace has it take the place of whatever has its name.
func (f *File) replace() error {
	if f.beside == "" {
		name := besideName()
		if err := f.link(name); err != nil {
			return err
		}
		f.beside = name
	}
	err := unix.Renameat(f.fd(), f.beside, f.fd(), f.base)
	if err == nil {
		f.beside = ""
	}
	return err
}

// link gives a file that has no name one that nobody has.
func (f *File) link(name string) error {
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(f.f.Fd())), f.fd(), name, unix.AT_SYMLINK_FOLLOW)
}

// Discard forgets the file; after Commit it does nothing.
func (f *File) Discard() {
	if f.f == nil {
		return
	}
	if f.beside != "" {
		unix.Unlinkat(f.fd(), f.beside, 0)
	}
	f.f.Close()
	f.dir.Close()
	f.f = nil
}

func (f *File) fd() int { return int(f.dir.Fd()) }

// inner is what a system call said, without the names that its user knows.
func inner(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
