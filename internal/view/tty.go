package view

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultWidth is the width, in columns, of what is not a terminal.
const DefaultWidth = 80

// For returns the options that suit a stream: its width, whether it takes colour (mode as in [UseColor]) and whether
// only ASCII.
func For(f *os.File, mode string) Options {
	return Options{Width: Width(f), Color: UseColor(mode, f), ASCII: !UTF8()}
}

// UseColor decides for one stream: mode is always, never, or auto, which means that f is a terminal that can (TERM is
// not dumb) and the user has not set NO_COLOR (https://no-color.org).
func UseColor(mode string, f *os.File) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && IsTerminal(f)
}

// IsTerminal says whether f is one.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Width is a terminal's width in columns. For everything else it is the environment's COLUMNS, or DefaultWidth.
func Width(f *os.File) int {
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		return int(size.Col)
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return DefaultWidth
}

// Height is how many lines a terminal has; 0 of everything else.
func Height(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Row)
}

// UTF8 says whether the locale's characters are UTF-8, by the first of LC_ALL, LC_CTYPE and LANG that is set
// (locale(7)).
func UTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
