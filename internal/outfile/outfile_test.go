package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// ways are the two in which a file is made: without a name, and with one beside its own.
var ways = map[string]func(*File) error{
	"without a name": nil,
	"beside":         (*File).openBeside,
}

// begun is a file that was begun in one of the ways.
func begun(t *testing.T, path string, overwrite bool, way func(*File) error) *File {
	t.Helper()
	f, err := Create(path, overwrite)
	if err != nil {
		t.Fatal(err)
	}
	if way != nil {
		if f.f.Close(); way(f) != nil {
			t.Fatal("it cannot be made")
		}
	}
	if _, err := f.Write([]byte("new\n")); err != nil {
		t.Fatal(err)
	}
	return f
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("%q, %v; want %q", b, err, want)
	}
}

// A file is there when it is complete, alone, and with the permissions that the umask leaves; what is given up leaves
// nothing.
func TestCompleteOrAbsent(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		dir := t.TempDir()
		path := filepath.Join(dir, "run.jsonl")
		begun(t, path, false, way).Discard()
		if list := names(t, dir); len(list) > 0 {
			t.Errorf("%s: given up, it leaves %q", name, list)
		}
		f := begun(t, path, false, way)
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s: it is there before it is complete", name)
		}
		if err := f.Commit(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.Discard()
		holds(t, path, "new\n")
		beside := filepath.Join(dir, "beside")
		if err := os.WriteFile(beside, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		want, _ := os.Stat(beside)
		if got, _ := os.Stat(path); got.Mode() != want.Mode() {
			t.Errorf("%s: %v, want %v", name, got.Mode(), want.Mode())
		}
		if list := names(t, dir); len(list) != 2 {
			t.Errorf("%s: it leaves %q", name, list)
		}
		if err := f.Commit(); err == nil {
			t.Errorf("%s: complete twice", name)
		}
	}
}

// Without a name there is nothing to be left behind, however the program ends.
func TestNothingIsThereMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := begun(t, filepath.Join(dir, "run.jsonl"), false, nil)
	defer f.Discard()
	if f.beside != "" {
		t.Skip("this file system has no files without a name")
	}
	if list := names(t, dir); len(list) > 0 {
		t.Errorf("there is %q", list)
	}
}

// What is there already is not touched, also if it came while the file was being written; overwrite replaces it.
func TestWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		dir := t.TempDir()
		path := filepath.Join(dir, "run.jsonl")
		early := begun(t, path, false, way)
		if err := os.WriteFile(path, []byte("old\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path, false); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "--overwrite") {
			t.Errorf("%s: %v", name, err)
		}
		if err := early.Commit(); !errors.Is(err, ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		holds(t, path, "old\n")
		other := filepath.Join(dir, "other")
		if err := os.Link(path, other); err != nil {
			t.Fatal(err)
		}
		if err := begun(t, path, true, way).Commit(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		holds(t, path, "new\n")
		holds(t, other, "old\n") // the same file's other name: it is replaced, not written into
		if list := names(t, dir); len(list) != 2 {
			t.Errorf("%s: it leaves %q", name, list)
		}
	}
}

// No link is followed, whether it leads anywhere or not, and no device or folder gives way, also if it comes meanwhile.
func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("target"), []byte("old\n"), 0o644), os.Symlink(path("target"), path("link")), os.Symlink(path("nothing"), path("dangling")),
		unix.Mkfifo(path("fifo"), 0o644), os.Mkdir(path("folder"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"link": "symbolic link", "dangling": "symbolic link", "fifo": "no ordinary file", "folder": "directory", "no/such": "no such", "target/x": "not a directory",
		"folder/": "name of a file", "": "name of a file", "folder/..": "name of a file",
	} {
		for _, overwrite := range []bool{false, true} {
			if f, err := Create(dir+"/"+name, overwrite); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "--overwrite") {
				t.Errorf("%s, overwrite %v: %v, %v", name, overwrite, f, err)
			}
		}
	}
	for _, overwrite := range []bool{false, true} {
		f := begun(t, path("later"), overwrite, nil)
		if err := os.Symlink(path("target"), path("later")); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err == nil {
			t.Error("a link that came meanwhile gave way")
		}
		os.Remove(path("later"))
	}
	holds(t, path("target"), "old\n")
	if _, err := os.Lstat(path("nothing")); err == nil {
		t.Error("a link that leads nowhere was followed")
	}
}

// A file that is written as it comes is there at once, and keeps what it has; else it is held to the same.
func TestStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("old"), []byte("old\n"), 0o644), os.Link(path("old"), path("other")), os.Symlink(path("old"), path("link")),
		os.Symlink(path("nothing"), path("dangling")), os.Mkdir(path("folder"), 0o755), unix.Mkfifo(path("fifo"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"link": "symbolic link", "dangling": "symbolic link", "folder": "directory", "": "name of a file"} {
		for _, overwrite := range []bool{false, true} {
			if f, err := Stream(dir+"/"+name, overwrite); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, overwrite %v: %v, %v", name, overwrite, f, err)
			}
		}
	}
	if _, err := Stream(path("old"), false); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := Stream(path("fifo"), false); !errors.Is(err, unix.ENXIO) {
		t.Errorf("a pipe that nobody reads: %v", err)
	}
	for name, overwrite := range map[string]bool{"fresh": false, "old": true} {
		f, err := Stream(path(name), overwrite)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.WriteString("new\n")
		holds(t, path(name), "new\n")
	}
	holds(t, path("other"), "old\n") // the same file's other name: it is replaced, not written into
	if f, err := Stream("/dev/full", false); err != nil {
		t.Error(err)
	} else if _, err := f.WriteString("x"); !errors.Is(err, unix.ENOSPC) {
		t.Error(err)
	}
	if list := names(t, dir); len(list) != 7 {
		t.Errorf("it leaves %q", list)
	}
}
