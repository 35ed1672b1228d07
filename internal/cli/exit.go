package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// Exit statuses, the same for both commands.
const (
	ExitOK          = 0
	ExitFailed      = 1 // an expectation was not met, or something went wrong
	ExitUsage       = 2
	ExitUnsupported = 3 // this kernel, or this user, cannot do it
	ExitInterrupted = 130
)

// Usage is an error in what was typed.
type Usage struct{ Text string }

func (u Usage) Error() string { return u.Text }

// Usagef makes a Usage.
func Usagef(format string, args ...any) error { return Usage{fmt.Sprintf(format, args...)} }

// ErrInterrupted: Ctrl-C. ErrTerminated: SIGTERM, which is how a service is told to stop.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrTerminated  = errors.New("terminated")
)

// Status is the exit status that an error stands for.
func Status(err error) int {
	var usage Usage
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		return ExitUsage
	case unsupported.In(err) != nil:
		return ExitUnsupported
	case errors.Is(err, ErrInterrupted), errors.Is(err, ErrTerminated), errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}

// Told is an error that was complained of when it came.
type Told struct{ Err error }

func (t Told) Error() string { return t.Err.Error() }
func (t Told) Unwrap() error { return t.Err }

// Complain writes the one line that an error deserves and returns the exit status.
func Complain(w io.Writer, program string, err error) int {
	status, told := Status(err), Told{}
	if err != nil && status != ExitInterrupted && !errors.As(err, &told) {
		fmt.Fprintf(w, "%s: %s%s\n", program, oneLine(err), hint(err))
	}
	return status
}

// oneLine is the text of an error, in which nothing that was typed or received can do something to the terminal.
func oneLine(err error) string {
	var b strings.Builder
	for text := strings.ReplaceAll(err.Error(), "\n", "; "); text != ""; {
		r, n := utf8.DecodeRuneInString(text)
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(text[:n])
		} else {
			b.WriteString(strings.Trim(strconv.Quote(text[:n]), `"`))
		}
		text = text[n:]
	}
	return b.String()
}

// hint says what to do about an error that somebody new to this meets.
func hint(err error) string {
	var call *sockapi.Error
	if !errors.As(err, &call) {
		return ""
	}
	if cannot := unsupported.In(call); cannot != nil {
		return " (" + cannot.How + ")"
	}
	switch {
	case call.Call == "connect" && call.Errno == unix.ECONNREFUSED:
		return " (is echod running there?)"
	case (call.Call == "bind" || call.Call == "listen") && call.Errno == unix.EADDRINUSE:
		return inUse(call)
	case call.Call == "connect" && call.Errno == unix.EADDRNOTAVAIL:
		if what := usedUp(call.Addr); what != "" {
			return fmt.Sprintf(" (%s)", what)
		}
	case call.Call == "bind" && call.Errno == unix.EADDRNOTAVAIL:
		return " (no interface of this host has that address)"
	case call.Call == "connect" && call.Errno == unix.ETIMEDOUT:
		return " (nothing answered: a firewall, a dead host, or a full backlog)"
	case call.Errno == unix.EMFILE:
		return " (too many descriptors: ulimit -n)"
	}
	return ""
}

// Remark writes a line about what is no error.
func Remark(w io.Writer, program, text string) {
	fmt.Fprintf(w, "%s: %s\n", program, oneLine(errors.New(text)))
}
