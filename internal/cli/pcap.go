package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/observe"
	"socklife/internal/outfile"
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
	file, err := w.pcapFile(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	// Who reads a pipe but slowly is not waited for when the run was ended. (What has no deadlines does not wait.)
	left := context.AfterFunc(ctx, func() { file.SetWriteDeadline(time.Now().Add(time.Second)) })
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
		file.Close()
		return nil, nil, nil, fmt.Errorf("--pcap %s: %w", w.Pcap, err)
	}
	log.AddSink(p)
	return ctx, p, func() error {
		defer cancel(nil)
		defer left()
		if err := errors.Join(p.Close(), file.Close()); err != nil && !errors.Is(err, unix.EPIPE) {
			return fmt.Errorf("--pcap %s: %w", w.Pcap, err)
		}
		return nil
	}, nil
}

// pcapFile is what the capture is written to. Standard output is another descriptor then: the end of who reads from
// number 1 ends a program of Go's at once, and the terminal would be left as --step has it.
func (w *WireFlags) pcapFile(ctx context.Context) (*os.File, error) {
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
	if f, err := os.Stat(w.Pcap); err == nil && !isDevice(f) && sameAs(f, os.Stdout) {
		return nil, Usagef("--pcap %s: this is standard output: write  --pcap -", w.Pcap)
	}
	file, err := w.openPcap()
	if errors.Is(err, unix.ENXIO) && !w.among.Quiet {
		Remark(os.Stderr, w.among.Set.Name(), "--pcap "+w.Pcap+": waiting until somebody reads it")
	}
	for errors.Is(err, unix.ENXIO) { // a pipe that nobody reads yet
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
			file, err = w.openPcap()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("--pcap %s: %w", w.Pcap, err)
	}
	if view.IsTerminal(file) {
		file.Close()
		return nil, Usagef("--pcap %s: this is a terminal", w.Pcap)
	}
	return file, nil
}

// openPcap opens what --pcap names: a file that was not there, a named pipe, or a descriptor that the shell opened, as
// for  --pcap >(wireshark -k -i -).
func (w *WireFlags) openPcap() (*os.File, error) {
	number, is := strings.CutPrefix(w.Pcap, "/dev/fd/")
	if fd, err := strconv.Atoi(number); is && err == nil {
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(fd), w.Pcap), nil
	}
	return outfile.Stream(w.Pcap, w.among.Overwrite)
}

func isDevice(f os.FileInfo) bool { return f.Mode()&os.ModeDevice != 0 }

func sameAs(f os.FileInfo, open *os.File) bool {
	other, err := open.Stat()
	return err == nil && os.SameFile(f, other)
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
