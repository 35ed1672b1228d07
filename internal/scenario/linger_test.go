package scenario

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// A close() that waits for a minute does not keep a run that has been stopped: the other side lets go of its end.
func TestAStoppedRunDoesNotLinger(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var accepted atomic.Int32
	begin := time.Now()
	result, _ := play(ctx, lingerWait, stage.Config{Step: func(_ context.Context, side timeline.Side, next string) error {
		switch {
		case side != timeline.Server:
		case strings.HasPrefix(next, "accept"):
			accepted.Add(1)
		case strings.HasPrefix(next, "read") && accepted.Load() == 2: // the client is in the close() that waits long
			cancel(errStop)
		}
		return nil
	}})
	if !errors.Is(result.Err, errStop) {
		t.Errorf("the run says %v", result.Err)
	}
	if took := time.Since(begin); took > lingerLong/2 {
		t.Errorf("it went on for %v", took)
	}
}
