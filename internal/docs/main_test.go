// Package docs keeps README.md and docs/ true. Every transcript in them is a run of the commands, every table is made
// from the code, and its tests fail when that is no longer so:
//
//	go test ./internal/docs                  compares
//	go test ./internal/docs -update          rewrites what is no longer true
//	go test ./internal/docs -update -renew   rewrites all transcripts
//
// With -page docs/walkthrough.md it is the blocks of that page and its Chinese translation alone.
//
// A transcript stands between two comments. The first says what was run:
//
//	<!-- run: echoc half-close -->
//	```text
//	…
//	```
//	<!-- end -->
//
// Where several terminals are needed they are separated by " & ", the first is started first, and the comment says
// which of them is shown: <!-- run 2 of: echod half-close & echoc half-close 127.0.0.1:7007 -->. Each command goes on
// when the one before it is ready: a server listens, one of the two sides holds the state that --hold is about. With
// "; " in between they are run one after the other, and each finds the files that those before have written. What
// follows a # is for this package, with "; " in between:
//
//	exit 2                           the exit status, if it is not 0
//	as root                          an ordinary user is shown less
//	lanes                            what happened, without the words before and after
//	from "shutdown(" to "EPIPE"      a part; also from "…" alone, to "…" alone, and several: from "a" to "b" and from "c"
//	only "SYN|FIN"                   the lines that fit
//	mark "shutdown(", "all met"      ① stands beside the line where the first text begins, ② beside that of the second
//
// These texts are such as every run has, in this order from above, without ports and descriptors; where lines end does
// not matter. A block may be folded: <details><summary>The whole run</summary>, an empty line, the block, an empty
// line, </details>.
//
// What docs/zh-CN/ has is a translation: chinese_test.go.
//
// Times, ports, descriptors and partial reads differ from run to run, so a block is not compared by its letters. It is
// read, as the run is: [transcript] says what must be the same.
package docs

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var (
	update = flag.Bool("update", false, "rewrite the blocks that are no longer true")
	renew  = flag.Bool("renew", false, "with -update: rewrite the transcripts that are still true too, as after a change of how they look")
	page   = flag.String("page", "", "only the blocks of this page, such as docs/walkthrough.md, and of its translation")
)

// root is where README.md is, seen from this package.
const root = "../.."

var bin string // where echod and echoc are

// What is played waits for the kernel nearly all the time. So many runs wait beside each other, unless -parallel says
// how many.
const waiters = 16

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		flag.Set("test.parallel", strconv.Itoa(waiters))
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "socklife-docs-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "socklife/cmd/echod", "socklife/cmd/echoc")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		bin = dir
		return m.Run()
	}())
}

// dependOnSources looks at every source of the two commands, so that go test knows what the results depend on, and does
// not take them from its cache when one has changed.
var dependOnSources = sync.OnceValue(func() error {
	return filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			_, err = os.Stat(path)
		}
		return err
	})
})

// pages are README.md and everything below docs/, by their paths from the root.
func pages(t *testing.T) (list []string) {
	t.Helper()
	if err := dependOnSources(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			path, err = filepath.Rel(root, path)
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"README.md"}, list...)
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
