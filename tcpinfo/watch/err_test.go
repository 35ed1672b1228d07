package watch

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// A dump that was inconsistent is followed by another one, so it hides nothing that fails later; what fails first is
// what is told.
func TestTheErrorThatIsKept(t *testing.T) {
	w := New(nil, nil)
	for _, c := range []struct{ fails, kept error }{
		{tcpinfo.ErrInconsistent, tcpinfo.ErrInconsistent},
		{unix.EIO, unix.EIO},
		{unix.ENOMEM, unix.EIO},
		{tcpinfo.ErrInconsistent, unix.EIO},
	} {
		if w.fail(c.fails); !errors.Is(w.Err(), c.kept) {
			t.Errorf("after %v: %v, want %v", c.fails, w.Err(), c.kept)
		}
	}
}
