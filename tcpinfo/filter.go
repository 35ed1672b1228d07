package tcpinfo

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Filter says which sockets a dump is to report. The zero Filter stands for all of them. All conditions must hold, and
// the kernel checks them: only what matches is sent.
type Filter struct {
	Family uint8     // unix.AF_INET or AF_INET6; 0 for both
	States StateMask // 0 for all, half-open and bound-only sockets included

	LocalPort, RemotePort uint16 // 0 for any
}

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
