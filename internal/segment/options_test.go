package segment

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
)

func rawOptions(t *testing.T, text string) Options {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var o Options
	o.n = uint8(copy(o.raw[:], b))
	return o
}

func TestOptionStrings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, want string }{
		{"", ""},
		{"01010100", ""},
		{"020405b4", "<mss 1460>"},
		{"020405b40402080a000000010000000001030307", "<mss 1460, sackOK, TS val 1 ecr 0, wscale 7>"},
		{"0101050a00000065000000c9", "<sack {101:201}>"},
		{"13120102030405060708090a0b0c0d0e0f100000", "<md5 0102030405060708090a0b0c0d0e0f10>"},
		{"1d100102000102030405060708090a0b", "<ao keyid 1 rnextkeyid 2 mac 000102030405060708090a0b>"},
		{"1e0401810000", "<mptcp MP_CAPABLE 0181>"},
		{"1e03f000", "<mptcp UNKNOWN(15) f0>"},
		{"22020101", "<tfo cookiereq>"},
		{"220a0102030405060708", "<tfo cookie 0102030405060708>"},
		{"1c04001e", "<uto 30s>"}, {"1c048002", "<uto 2m>"},
		{"ac0b00000a00000b00000c00", "<accecn0 10 11 12>"},
		{"ae0500000a000000", "<accecn1 10>"},
		{"fd06f98901020000", "<exp 253 id 0xf989 0102>"}, {"fe04000100", "<exp 254 id 0x0001>"},
		{"4d040102", "<UNKNOWN(77) 0102>"}, {"4d020101", "<UNKNOWN(77)>"},
		{"02030501", "<MALFORMED(2) 05>"},     // an MSS of one octet
		{"0204", "<MALFORMED(2) 04>"},         // longer than there is room
		{"0200ffff", "<MALFORMED(2) 00ffff>"}, // a length that does not even count itself
		{"010102", "<MALFORMED(2)>"},          // no length
		{"0509000000650000000000", "<MALFORMED(5) 00000065000000>"},
		{"00020405b4", ""}, // after the end of the list
	} {
		o := rawOptions(t, test.raw)
		if got := o.String(); got != test.want {
			t.Errorf("%s: %q, want %q", test.raw, got, test.want)
		}
	}
}

func TestOptionsRelative(t *testing.T) {
	t.Parallel()
	o := mustOptions(t, NOP(), NOP(), SACK(SACKBlock{1100, 1200}, SACKBlock{1300, 1400}))
	if got, want := o.StringsRelative(^uint32(0)-1000+1), []string{"sack {100:200} {300:400}"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := o.Strings(), []string{"sack {1100:1200} {1300:1400}"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOptionValues(t *testing.T) {
	t.Parallel()
	blocks := []SACKBlock{{1, 2}, {3, 4}}
	o := mustOptions(t, MSS(1460), WindowScale(7), SACKPermitted(), Timestamps(10, 20), SACK(blocks...))
	mss, hasMSS := o.MSS()
	shift, hasShift := o.WindowScale()
	val, ecr, hasTimes := o.Timestamps()
	if mss != 1460 || shift != 7 || val != 10 || ecr != 20 || !hasMSS || !hasShift || !hasTimes ||
		!o.SACKPermitted() || !slices.Equal(o.SACK(), blocks) {
		t.Errorf("%s: %d %d %d %d %v", o, mss, shift, val, ecr, o.SACK())
	}
	if len(o.Bytes())%4 != 0 || !bytes.Equal(o.Bytes()[:4], []byte{2, 4, 5, 180}) || o.Has(OptFastOpen) || !o.Has(OptMSS) {
		t.Errorf("%x", o.Bytes())
	}

	var none Options
	_, hasMSS = none.MSS()
	_, hasShift = none.WindowScale()
	_, _, hasTimes = none.Timestamps()
	if hasMSS || hasShift || hasTimes || none.SACKPermitted() || none.SACK() != nil {
		t.Error("there is something in no options")
	}
}

// The last of several counts, and one of a wrong size does not: so does Linux.
func TestOptionsRepeated(t *testing.T) {
	t.Parallel()
	o := mustOptions(t, MSS(1), MSS(2), RawOption(OptMSS, []byte{1}), RawOption(OptWindowScale, []byte{1, 2}))
	if mss, _ := o.MSS(); mss != 2 {
		t.Errorf("mss %d", mss)
	}
	if _, ok := o.WindowScale(); ok {
		t.Error("a window scale of two octets counts")
	}
}

func TestNewOptionsRefuses(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]Option{
		"too many":  {Timestamps(1, 2), Timestamps(1, 2), Timestamps(1, 2), Timestamps(1, 2), NOP()},
		"too long":  {RawOption(77, make([]byte, 39))},
		"end+data":  {RawOption(OptEnd, []byte{1})},
		"malformed": slices.Collect(rawOptions(t, "0204").All()),
	} {
		if o, err := NewOptions(list...); err == nil {
			t.Errorf("%s: %s", name, o)
		}
	}
	if o := mustOptions(t, RawOption(77, make([]byte, 38))); len(o.Bytes()) != 40 {
		t.Errorf("%d octets", len(o.Bytes()))
	}
}
