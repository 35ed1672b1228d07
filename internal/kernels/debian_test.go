package kernels

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A Kernel is one of Debian's, for virtual machines.
type Kernel struct {
	Name  string // on the command line, and in docs/kernels.md
	Arch  string // as Debian and Go call it
	Suite string // of Debian
	Short bool   // is played with --short
}

var kernels = []Kernel{
	{"5.10", "amd64", "bullseye", false},
	{"6.1", "amd64", "bookworm", true},
	{"6.12", "amd64", "trixie", false},
	{"newest", "amd64", "sid", true},
	{"6.1-arm64", "arm64", "bookworm", false},
	{"newest-arm64", "arm64", "sid", false},
}

// keyring has the keys that Debian signs with.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mirrorVariable names a mirror where apt's sources have none.
const mirrorVariable = "DEBIAN_MIRROR"

// mirror is where this machine has its own packages from.
func mirror() (string, error) {
	if m := os.Getenv(mirrorVariable); m != "" {
		return m, nil
	}
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", "Origin: Debian", "Label: Debian").Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	if first := strings.Fields(string(out)); len(first) > 0 {
		return first[0], nil
	}
	return "", fmt.Errorf("no mirror of Debian is among apt's sources here (apt-get update first, or %s=URL names one)", mirrorVariable)
}

// apt asks and fetches packages of one suite and machine, with lists of its own: nothing of this machine's changes.
type apt struct{ dir string }

func newApt(cache string, k Kernel, mirror string) (*apt, error) {
	a := &apt{filepath.Join(cache, k.Suite+"-"+k.Arch)}
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	config := fmt.Sprintf(`APT::Architecture %[2]q;
APT::Architectures { %[2]q; };
APT::Sandbox::User "root";
Dir::State %[1]q;
Dir::State::lists "%[1]s/lists";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "-";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
`, a.dir, k.Arch)
	source := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror, k.Suite)
	return a, errors.Join(
		os.WriteFile(filepath.Join(a.dir, "apt.conf"), []byte(config), 0o644),
		os.WriteFile(filepath.Join(a.dir, "sources.list"), []byte(source), 0o644),
		os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644),
	)
}

// run runs one of apt's commands in a folder; its output is what it printed.
func (a *apt) run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// fresh is how old lists may be.
const fresh = 12 * time.Hour

func (a *apt) update() error {
	stamp := filepath.Join(a.dir, "updated")
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < fresh {
		return nil
	}
	if _, err := a.run(a.dir, "apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

// part is the name of a package that has a piece of a kernel.
var part = regexp.MustCompile(`(?m)^ *Depends: (linux-(?:image|modules|binary)-[0-9]\S*)`)

// packages are those of the kernel that the suite has now: one, or an image that is nothing but the names of two
// others.
func (a *apt) packages(name string) (list []string, err error) {
	out, err := a.run(a.dir, "apt-cache", "depends", name)
	if err != nil {
		return nil, err
	}
	for _, m := range part.FindAllStringSubmatch(out, -1) {
		below, err := a.packages(m[1])
		if err != nil {
			return nil, err
		}
		list = append(append(list, m[1]), below...)
	}
	return list, nil
}

// kept of a package: the kernel, and the modules among which those are that are wanted.
var unpackedParts = []string{"*/vmlinuz*", "*/kernel/net/*", "*/kernel/drivers/net/tun.ko*"}

// fetch has the kernel's files in the cache, and returns their folder.
func fetch(cache string, k Kernel, mirror string) (string, error) {
	a, err := newApt(cache, k, mirror)
	if err != nil {
		return "", err
	}
	if err := a.update(); err != nil {
		return "", err
	}
	names, err := a.packages("linux-image-cloud-" + k.Arch)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("linux-image-cloud-%s of %s names no kernel", k.Arch, k.Suite)
	}
	dir := filepath.Join(a.dir, names[0])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	old, _ := filepath.Glob(filepath.Join(a.dir, "linux-image-*"))
	for _, o := range old {
		os.RemoveAll(o)
	}
	tmp, err := os.MkdirTemp(a.dir, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if _, err := a.run(tmp, "apt-get", append([]string{"download", "-q"}, names...)...); err != nil {
		return "", err
	}
	debs, _ := filepath.Glob(filepath.Join(tmp, "*.deb"))
	root := filepath.Join(tmp, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", err
	}
	for _, deb := range debs {
		unpack := exec.Command("sh", "-c", `deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x --wildcards "$@" 2>/dev/null; :`, "sh", deb)
		unpack.Args = append(unpack.Args, unpackedParts...)
		unpack.Dir = root
		if out, err := unpack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", deb, err, out)
		}
	}
	if _, err := image(root); err != nil {
		return "", err
	}
	return dir, os.Rename(root, dir)
}

// image finds the kernel itself.
func image(dir string) (file string, err error) {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), "vmlinuz") {
			file = path
		}
		return err
	})
	if file == "" {
		return "", fmt.Errorf("there is no vmlinuz in the kernel's packages")
	}
	return file, nil
}
