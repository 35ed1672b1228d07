package lab

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onOwnThread runs f in a goroutine with an operating system thread of its own, which ends with f. A goroutine that
// ends while it is locked takes its thread with it (runtime.LockOSThread), so what f does to the thread – entering a
// namespace – is never met by other goroutines; and the threads that the runtime starts meanwhile are cloned from a
// clean one.
//
// The process' first thread cannot end like that: the runtime parks it for good, in whatever namespace it is in, which
// would keep that namespace alive. So f does not run there.
func onOwnThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		started := make(chan struct{})
		onOwnThread(func() { // cannot land here: this goroutine holds the first thread until it has started
			close(started)
			f()
		})
		<-started
		runtime.UnlockOSThread()
	}()
}
