package sockapi

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A stream takes what does not fit the buffers, and ends with io.EOF.
func TestStream(t *testing.T) {
	c, s := newPair(t, nil)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	_, done := onThread(func() error {
		n, err := c.Stream().Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		return errors.Join(err, c.Shutdown(unix.SHUT_WR))
	})
	got, err := io.ReadAll(s.Stream())
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d bytes of %d, %v", len(got), len(sent), err)
	}
	must(t, result(t, done))
	if n, err := s.Stream().Read(nil); n != 0 || err != nil {
		t.Errorf("read into nothing: %d, %v; want 0, nil", n, err)
	}
	if n, err := c.Stream().Write([]byte("x")); n != 0 || !errors.Is(err, unix.EPIPE) {
		t.Errorf("write after shutdown: %d, %v", n, err)
	}
	must(t, s.Close())
	if _, err := s.Stream().Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

func TestStreamWritesNothing(t *testing.T) {
	c, _ := newPair(t, nil)
	if n, err := c.Stream().Write(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// What a write that fails half-way had written is counted.
func TestStreamPartialWrite(t *testing.T) {
	c, _ := newPair(t, nil)
	must(t, unix.SetNonblock(c.FD(), true))
	all := make([]byte, 64<<20)
	n, err := c.Stream().Write(all)
	if n <= 0 || n >= len(all) || !errors.Is(err, unix.EAGAIN) {
		t.Errorf("%d, %v; want some, and EAGAIN", n, err)
	}
}
