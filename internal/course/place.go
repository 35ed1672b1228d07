package course

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// done is what stands in the file after the last lesson.
const done = "done"

// Place is the index of the lesson to go on with, len(Lessons) after the last. It is 0 where nothing is remembered, or
// what is remembered is no lesson.
func Place() (int, error) {
	file, err := file()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	name := strings.TrimSpace(string(text))
	if name == done {
		return len(Lessons), err
	}
	return max(slices.Index(Lessons, name), 0), err
}

// Remember writes down the lesson to go on with. It is written beside the file and renamed: the file is whole at any
// moment, however many write it.
func Remember(place int) error {
	file, err := file()
	if err != nil {
		return err
	}
	name := done
	if place < len(Lessons) {
		name = Lessons[place]
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(file), "learn-*")
	if err != nil {
		return err
	}
	_, err = beside.WriteString(name + "\n")
	if err = errors.Join(err, beside.Close()); err == nil {
		err = os.Rename(beside.Name(), file)
	}
	if err != nil {
		os.Remove(beside.Name())
	}
	return err
}

// file is where it is remembered: $XDG_STATE_HOME/socklife/learn, or ~/.local/state/socklife/learn (XDG Base Directory
// Specification, which has a path that is not absolute ignored).
func file() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := os.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", errors.New("neither XDG_STATE_HOME nor HOME is set")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "socklife", "learn"), nil
}
