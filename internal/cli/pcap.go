package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Timeline is where the timeline goes: standard output, unless that is the capture's.
func (w *WireFlags) Timeline() *os.File {
	if w.PcapToOutput() {
		return os.Stderr
	}
	return os.Stdout
}

// PcapToOutput: --pcap -, for wireshark -k -i -.
func (w *WireFlags) PcapToOutput() bool { return w.Pcap == "-" }

// OpenPcap begins the capture, if there is to be one; else it is nil. What log tells of calls and states goes there
// too. The run is to end with the context that comes back: when nobody reads the capture any more. end completes the
// capture.
func (w *WireFlags) OpenPcap(ctx context.Context, log *timeline.Log) (_ context.Context, p *observe.Pcap, end func() error, err error) {
	if w.Pcap == "" {
		return ctx, nil, func() error { return nil }, nil
	}
	file, err := w.pcapFile()
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p, err = observe.NewPcap(file, observe.PcapConfig{Ends: w.ends(), Words: view.NewWords().Of, Failed: func(err error) {
		if errors.Is(err, unix.EPIPE) {
			cancel(fmt.Errorf("%w: nobody reads the capture", ErrInterrupted))
		}
	}})
	if errors.Is(err, unix.EPIPE) {
		err = ErrInterrupted
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, file.Close())
	}
	log.AddSink(p)
	return ctx, p, func() error {
		defer cancel(nil)
		if err := errors.Join(p.Close(), file.Close()); err != nil && !errors.Is(err, unix.EPIPE) {
			return fmt.Errorf("--pcap %s: %w", w.Pcap, err)
		}
		return nil
	}, nil
}

// pcapFile is what the capture is written to. Standard output is another descriptor then: the end of who reads from
// number 1 ends a program of Go's at once, and the terminal would be left as --step has it.
func (w *WireFlags) pcapFile() (*os.File, error) {
	if w.PcapToOutput() {
		if view.IsTerminal(os.Stdout) {
			return nil, Usagef("--pcap - writes the capture to standard output: have a program read it, as  | wireshark -k -i -")
		}
		fd, err := unix.FcntlInt(os.Stdout.Fd(), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, fmt.Errorf("--pcap -: %w", err)
		}
		return os.NewFile(uintptr(fd), "standard output"), nil
	}
	file, err := os.Create(w.Pcap)
	var of *fs.PathError
	if errors.As(err, &of) {
		err = fmt.Errorf("--pcap %s: %w", w.Pcap, of.Err)
	}
	return file, err
}

// ends are whose view of the segments is captured.
func (w *WireFlags) ends() []timeline.Side {
	switch {
	case !w.On:
		return []timeline.Side{timeline.Wire}
	case w.PcapBoth:
		return []timeline.Side{timeline.Client, timeline.Server}
	}
	return []timeline.Side{timeline.Client}
}
