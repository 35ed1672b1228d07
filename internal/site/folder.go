// Package site makes the runs of a tour into a folder of pages that any web server, or none, can show: an index, a page
// for each scenario, and the state diagram as it was measured.
package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"socklife/internal/outfile"
)

// folder is one that is complete under its name, or not there: until it is done it has another name beside.
type folder struct{ name, beside string }

// newFolder makes a folder beside the one that is to be. That one may be there already only if it is empty.
func newFolder(name string) (*folder, error) {
	name = filepath.Clean(name)
	if err := free(name); err != nil {
		return nil, err
	}
	beside, err := os.MkdirTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return nil, inner(err)
	}
	return &folder{name, beside}, nil
}

// free says whether a folder may take that name.
func free(name string) error {
	switch info, err := os.Lstat(name); {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return inner(err)
	case !info.IsDir():
		return errors.New("there is something else of that name: name a folder that is not there yet")
	}
	if list, err := os.ReadDir(name); err != nil || len(list) > 0 {
		return errors.New("there is such a folder, with something in it: remove it, or name another one")
	}
	return nil
}

// write makes a file in it.
func (f *folder) write(name string, write func(*outfile.File) error) error {
	file, err := outfile.Create(filepath.Join(f.beside, name), false)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := write(file); err != nil {
		return err
	}
	return file.Commit()
}

// commit gives it its name, and the permissions of the user's umask.
func (f *folder) commit() error {
	if err := os.Chmod(f.beside, 0o777&^umask()); err != nil {
		return inner(err)
	}
	err := unix.Renameat2(unix.AT_FDCWD, f.beside, unix.AT_FDCWD, f.name, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EINVAL) { // an empty one gives way; or the file system cannot say
		if err = free(f.name); err == nil {
			err = unix.Rename(f.beside, f.name)
		}
	}
	return err
}

// discard leaves nothing behind of what was not completed.
func (f *folder) discard() { os.RemoveAll(f.beside) }

func umask() os.FileMode {
	mask := unix.Umask(0o077)
	unix.Umask(mask)
	return os.FileMode(mask)
}

// inner is what went wrong, without the names that the user knows.
func inner(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return fmt.Errorf("%w", of.Err)
	}
	return err
}
