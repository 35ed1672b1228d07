package cli

import (
	"context"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/view"
)

// endLine ends the line on which the terminal has echoed ^C.
func endLine() {
	for _, f := range []*os.File{os.Stderr, os.Stdout} {
		if view.IsTerminal(f) {
			f.WriteString("\n")
			return
		}
	}
}

// sameSignal is how long after a signal the next is the same: timeout(1) sends each to the program and to its group.
const sameSignal = 300 * time.Millisecond

// Interruptible is a context that ends with ErrInterrupted at Ctrl-C, and with ErrTerminated at SIGTERM and when the
// terminal is gone (SIGHUP, unless it is ignored): what was recorded is kept then, too. The second signal has its usual
// effect.
func Interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	if !signal.Ignored(unix.SIGHUP) {
		signal.Notify(signals, unix.SIGHUP)
	}
	go func() {
		select {
		case s := <-signals:
			time.AfterFunc(sameSignal, func() { signal.Stop(signals) })
			if s == unix.SIGINT {
				endLine()
				cancel(ErrInterrupted)
			} else {
				cancel(ErrTerminated)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
