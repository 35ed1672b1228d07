package cli

import (
	"context"
	"os"
	"os/signal"

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

// Interruptible is a context that ends with ErrInterrupted at Ctrl-C and with ErrTerminated at SIGTERM. The second
// signal has its usual effect.
func Interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if s == unix.SIGTERM {
				cancel(ErrTerminated)
			} else {
				endLine()
				cancel(ErrInterrupted)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
