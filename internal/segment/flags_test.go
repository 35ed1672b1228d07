package segment

import (
	"slices"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		flags Flags
		text  string
		names string
	}{
		{0, "none", ""},
		{SYN, "SYN", "SYN"},
		{ACK, "ACK", "ACK"},
		{SYN | ACK, "SYN+ACK", "SYN ACK"},
		{FIN | ACK, "FIN+ACK", "ACK FIN"},
		{PSH | ACK, "PSH+ACK", "ACK PSH"},
		{RST | ACK, "RST+ACK", "ACK RST"},
		{SYN | ECE | CWR | AE, "SYN+ECE+CWR+AE", "SYN ECE CWR AE"},
		{FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE, "SYN+FIN+RST+PSH+URG+ACK+ECE+CWR+AE",
			"SYN ACK FIN RST PSH URG ECE CWR AE"},
		{ACK | 0x600, "ACK+UNKNOWN(0x600)", "ACK UNKNOWN(0x600)"},
	} {
		if got := test.flags.String(); got != test.text {
			t.Errorf("%#x: %q, want %q", uint16(test.flags), got, test.text)
		}
		if got := test.flags.Names(); !slices.Equal(got, strings.Fields(test.names)) {
			t.Errorf("%#x: %q, want %q", uint16(test.flags), got, test.names)
		}
	}
	if f := SYN | ACK; !f.Has(SYN) || !f.Has(SYN|ACK) || f.Has(SYN|FIN) {
		t.Error("Has wants all of them")
	}
}

func TestSequenceNumbersGoRound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b   uint32
		before bool
	}{
		{1, 2, true}, {2, 1, false}, {5, 5, false},
		{0xffffffff, 0, true}, {0, 0xffffffff, false},
		{0xfffffff0, 0x10, true},
		{0, 0x7fffffff, true}, {0, 0x80000001, false},
	} {
		if got := Before(test.a, test.b); got != test.before {
			t.Errorf("Before(%#x, %#x) = %v", test.a, test.b, got)
		}
		if got := After(test.b, test.a); got != test.before {
			t.Errorf("After(%#x, %#x) = %v", test.b, test.a, got)
		}
	}
}
