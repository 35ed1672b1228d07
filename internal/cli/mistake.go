package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"socklife/internal/help"
	"socklife/internal/scenario"
)

// mistake says in one line what is wrong with a command line that does not parse.
func (f *Flags) mistake(err error, args []string) string {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var said Usage // by the flag itself
	switch {
	case errors.As(err, &said):
		return said.Text
	case errors.As(err, &unknown):
		return f.unknown(unknown, args)
	case errors.As(err, &missing):
		value, _ := help.Placeholder(missing.GetFlag())
		return fmt.Sprintf("--%s wants a value: --%[1]s %s%s", missing.GetFlag().Name, value, f.see())
	case errors.As(err, &invalid):
		return wrongValue(invalid)
	}
	return oneLine(err) + f.see()
}

// see is where to read on.
func (f *Flags) see() string { return " (see " + f.Set.Name() + " --help)" }

// unknown is about a flag that there is not: there may be one like it, or the other command may have it.
func (f *Flags) unknown(err *pflag.NotExistError, args []string) string {
	name, typed := err.GetSpecifiedName(), "--"+err.GetSpecifiedName()
	if letters := err.GetSpecifiedShortnames(); letters != "" {
		typed = "-" + name
		for _, arg := range args {
			if word := strings.TrimPrefix(arg, "-"); len(word) > 1 && strings.HasSuffix(word, letters) && word[0] != '-' {
				name, typed = word, arg // a long one with one hyphen
			}
		}
	}
	if other := f.other(name); other != "" {
		return fmt.Sprintf("--%s is a flag of %s", name, other)
	}
	if near := f.nearest(name); near != "" {
		return fmt.Sprintf("unknown flag %s: did you mean --%s?%s", typed, near, f.see())
	}
	return "unknown flag " + typed + f.see()
}

// other is the command that has a flag, if this one has not; "" is none. A test holds it against what they have.
func (f *Flags) other(flag string) string {
	onWire := newSet("")
	new(WireFlags).AddTo(onWire)
	switch ofEchoc := onWire.Lookup(flag) != nil || slices.Contains(append([]string{"explain", "bind"}, OfWatch...), flag); {
	case f.Set.Name() == "echod" && ofEchoc:
		return "echoc"
	case f.Set.Name() == "echoc" && slices.Contains([]string{"listen", "runs", "max-conns", "idle-timeout", "max-unread", "drain-timeout"}, flag):
		return "echod"
	}
	return ""
}

// nearest is the flag that was most likely meant: the only one that begins so, or one that is written nearly so.
func (f *Flags) nearest(name string) string {
	var names, begin []string
	f.Set.VisitAll(func(fl *pflag.Flag) {
		names = append(names, fl.Name)
		if len(name) > 1 && strings.HasPrefix(fl.Name, name) {
			begin = append(begin, fl.Name)
		}
	})
	if len(begin) == 1 {
		return begin[0]
	}
	return scenario.NearestOf(name, names)
}

// thousands is a number of bytes as other programs take it.
var thousands = regexp.MustCompile(`^([0-9]{1,6})([kKmM])(i?[bB])?$`)

// wrongValue is about a value that its flag does not take. Where that says itself why, it is our words; else Go's.
func wrongValue(err *pflag.InvalidValueError) string {
	fl, value := err.GetFlag(), shellQuoted(err.GetValue())
	complaint := fmt.Sprintf("--%s %s: ", fl.Name, value)
	switch kind := fl.Value.Type(); {
	case kind == "bool":
		return fmt.Sprintf("--%s=%s: --%[1]s takes no value", fl.Name, value)
	case kind == "duration":
		return complaint + "a duration is written 1s or 400ms"
	case errors.Is(err, strconv.ErrRange):
		return complaint + "the number is too large"
	case thousands.MatchString(value) && strings.HasPrefix(kind, "int"):
		return complaint + "want a whole number: " + writtenOut(value)
	case strings.HasPrefix(kind, "int"):
		return complaint + "want a whole number"
	case strings.HasPrefix(kind, "uint"):
		return complaint + "want a whole number that is not negative"
	}
	return complaint + oneLine(err.Unwrap())
}

// writtenOut is a number of KiB or MiB in bytes.
func writtenOut(value string) string {
	m := thousands.FindStringSubmatch(value)
	n, _ := strconv.Atoi(m[1])
	if n <<= 10; strings.EqualFold(m[2], "m") {
		n <<= 10
	}
	return fmt.Sprintf("%s is %d", value, n)
}

// shellQuoted is a value as it was typed, more or less.
func shellQuoted(value string) string {
	if value == "" || strings.ContainsAny(value, " \t") {
		return `"` + value + `"`
	}
	return value
}
