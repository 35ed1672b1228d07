package kernels

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// archive is an initramfs: files by their paths, without the leading slash.
type archive map[string][]byte

// addFile takes a file of this machine over.
func (a archive) addFile(at, file string) error {
	b, err := os.ReadFile(file)
	a[at] = b
	return err
}

// writeTo writes it as the kernel reads it: a cpio archive (newc: initramfs-buffer-format in the kernel's
// documentation), packed. Every file is executable and everybody's to read.
func (a archive) writeTo(w io.Writer) error {
	z := gzip.NewWriter(w)
	dirs := map[string]bool{}
	for name := range a {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	entry := func(ino int, name string, mode uint32, data []byte) {
		fmt.Fprintf(z, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
		pad(z, io.MultiReader(strings.NewReader(name), bytes.NewReader([]byte{0})), 110)
		pad(z, bytes.NewReader(data), 0)
	}
	ino := 1
	for _, dir := range slices.Sorted(maps.Keys(dirs)) { // a folder comes before what is in it
		entry(ino, dir, 0o040755, nil)
		ino++
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		entry(ino, name, 0o100755, a[name])
		ino++
	}
	entry(0, "TRAILER!!!", 0, nil)
	return z.Close()
}

// pad copies, and fills up with zeros to four bytes, of which so many stand before.
func pad(w io.Writer, r io.Reader, before int) {
	n, _ := io.Copy(w, r)
	w.Write(make([]byte, (4-(before+int(n))%4)%4))
}

// wantedModules are what the two commands need of a kernel that has it as modules.
var wantedModules = []string{"inet_diag", "tcp_diag", "tun"}

// addModules takes over the modules that are wanted, and what they need, from an unpacked kernel. It returns for each
// one what is to be loaded, in this order; nothing where it is built in.
func (a archive) addModules(kernel string) (map[string][]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(kernel, func(file string, d fs.DirEntry, err error) error {
		if name, _, is := strings.Cut(filepath.Base(file), ".ko"); is && err == nil && !d.IsDir() {
			files[strings.ReplaceAll(name, "-", "_")] = file
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	order := map[string][]string{}
	var visit func(name string) ([]string, error)
	visit = func(name string) (list []string, err error) {
		if files[name] == "" {
			return nil, nil // built in
		}
		at := strings.TrimPrefix(modulesDir, "/") + "/" + name + ".ko"
		if a[at], err = unpacked(files[name]); err != nil {
			return nil, err
		}
		needs, err := dependencies(a[at])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[name], err)
		}
		for _, below := range needs {
			first, err := visit(below)
			if err != nil {
				return nil, err
			}
			list = append(list, first...)
		}
		return append(list, name), nil
	}
	for _, name := range wantedModules {
		if order[name], err = visit(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// unpacked is a module as the kernel loads it.
func unpacked(file string) ([]byte, error) {
	tool := map[string]string{".xz": "xz", ".zst": "zstd", ".gz": "gzip"}[filepath.Ext(file)]
	if tool == "" {
		return os.ReadFile(file)
	}
	out, err := exec.Command(tool, "-dc", file).Output()
	if err != nil {
		return nil, fmt.Errorf("%s -dc %s: %w", tool, file, err)
	}
	return out, nil
}

// dependencies are the modules that one needs, as it says itself (modinfo).
func dependencies(module []byte) (names []string, err error) {
	file, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("it has no .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for word := range strings.SplitSeq(string(info), "\x00") {
		if needs, is := strings.CutPrefix(word, "depends="); is && needs != "" {
			for name := range strings.SplitSeq(needs, ",") {
				names = append(names, strings.ReplaceAll(name, "-", "_"))
			}
		}
	}
	return names, nil
}
