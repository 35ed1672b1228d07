package tcpinfo

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Filter says which sockets a dump is to report, and how much of each. The zero Filter stands for everything about all
// of them. All conditions must hold, and the kernel checks them: only what matches is sent.
type Filter struct {
	Family uint8     // unix.AF_INET or AF_INET6; 0 for both
	States StateMask // 0 for all, half-open and bound-only sockets included

	LocalPort, RemotePort uint16 // 0 for any
	Port                  uint16 // at either end; 0 for any

	With With // what to report of each; 0 for everything
}

// With is the set of attributes that the kernel sends only if it is asked for them (idiag_ext, INET_DIAG_…). What is
// left out saves the kernel, and the reader, the time: of what costs something, TCP_INFO costs most.
type With uint8

// The attributes. WithNothing leaves addresses, state, timer, queues, owner and shutdown bits.
const (
	WithInfo    With = 1 << (attrInfo - 1)
	WithVegas   With = 1 << (attrVegas - 1) // the congestion control's own state: Vegas, DCTCP or BBR
	WithCong    With = 1 << (attrCong - 1)
	WithTOS     With = 1 << (attrTOS - 1)
	WithTClass  With = 1 << (attrTClass - 1) // also ClassID
	WithMemory  With = 1 << (attrSkMemInfo - 1)
	WithNothing With = 1 << (attrShutdown - 1) // which is always sent

	withAll = WithInfo | WithVegas | WithCong | WithTOS | WithTClass | WithMemory
)

// families lists the kernel's tables that have to be asked.
func (f *Filter) families() ([]uint8, error) {
	switch f.Family {
	case 0:
		return []uint8{unix.AF_INET, unix.AF_INET6}, nil
	case unix.AF_INET, unix.AF_INET6:
		return []uint8{f.Family}, nil
	}
	return nil, fmt.Errorf("filter: family %d is neither AF_INET nor AF_INET6", f.Family)
}
