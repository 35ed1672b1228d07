package compare

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build gives the folder with echod and echoc that arg means: the folder itself, or one into which they are built
// from the sources in the folder arg, or from the git revision arg.
func build(arg, into string) (string, error) {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(arg, name))
		return err == nil
	}
	if exists("echoc") && exists("echod") {
		return filepath.Abs(arg)
	}
	sources := arg
	if !exists("go.mod") {
		sources = into + ".src"
		if err := checkout(arg, sources); err != nil {
			return "", fmt.Errorf("%s is no folder with echod and echoc, or with sources, and no git revision: %w", arg, err)
		}
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	return into, command(sources, "go", "build", "-o", into+"/", "./cmd/echod", "./cmd/echoc")
}

func checkout(revision, into string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	archive := into + ".tar"
	if err := command(os.Getenv(repo), "git", "archive", "-o", archive, revision, "--"); err != nil {
		return err
	}
	return command(into, "tar", "-xf", archive)
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	return cmd.Run()
}
