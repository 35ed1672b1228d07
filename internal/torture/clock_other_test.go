//go:build !amd64

package torture

import "testing"

// clockSteps needs the registers of the machine.
func clockSteps(*testing.T) []trial { return nil }
