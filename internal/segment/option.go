package segment

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// OptionKind is the first octet of a TCP option (IANA, "TCP Option Kind Numbers").
type OptionKind uint8

// The option kinds that are decoded; every other kind is kept and shown as UNKNOWN(n).
const (
	OptEnd           OptionKind = 0   // end of the option list (RFC 9293 section 3.2)
	OptNOP           OptionKind = 1   // no operation: padding between options (RFC 9293 section 3.2)
	OptMSS           OptionKind = 2   // maximum segment size (RFC 9293 section 3.2)
	OptWindowScale   OptionKind = 3   // window scale (RFC 7323 section 2)
	OptSACKPermitted OptionKind = 4   // SACK permitted (RFC 2018 section 2)
	OptSACK          OptionKind = 5   // SACK blocks (RFC 2018 section 3)
	OptTimestamps    OptionKind = 8   // timestamps (RFC 7323 section 3)
	OptMD5           OptionKind = 19  // MD5 signature (RFC 2385)
	OptUserTimeout   OptionKind = 28  // user timeout (RFC 5482)
	OptAO            OptionKind = 29  // authentication option (RFC 5925)
	OptMPTCP         OptionKind = 30  // multipath TCP (RFC 8684)
	OptFastOpen      OptionKind = 34  // fast open cookie (RFC 7413)
	OptAccECN0       OptionKind = 172 // accurate ECN, order 0 (RFC 9768)
	OptAccECN1       OptionKind = 174 // accurate ECN, order 1 (RFC 9768)
	OptExperiment1   OptionKind = 253 // shared experiments, with an identifier (RFC 6994)
	OptExperiment2   OptionKind = 254
)

var knownOptions = []OptionKind{
	OptMSS, OptWindowScale, OptSACKPermitted, OptSACK, OptTimestamps, OptMD5, OptUserTimeout, OptAO,
	OptMPTCP, OptFastOpen, OptAccECN0, OptAccECN1, OptExperiment1, OptExperiment2,
}

// Option is one TCP option.
type Option struct {
	Kind      OptionKind
	data      []byte // what follows kind and length; if malformed, everything that follows the kind
	malformed bool   // the length octet is missing or cannot be right
}

// text is the option and its value: "mss 1460", "sackOK", "TS val 1 ecr 0", "sack {101:201} {301:401}". A kind that is
// not known is "UNKNOWN(77) 0102", one whose size or length octet is wrong "MALFORMED(2) 05", with its data in
// hexadecimal. Shift is added to the edges of SACK blocks.
func (o Option) text(shift uint32) string {
	data, n := o.data, len(o.data)
	switch {
	case o.malformed:
		return fmt.Sprintf("MALFORMED(%d)%s", o.Kind, hexText(data))
	case o.Kind == OptMSS && n == 2:
		return fmt.Sprintf("mss %d", binary.BigEndian.Uint16(data))
	case o.Kind == OptWindowScale && n == 1:
		return fmt.Sprintf("wscale %d", data[0])
	case o.Kind == OptSACKPermitted && n == 0:
		return "sackOK"
	case o.Kind == OptSACK && n >= 8 && n%8 == 0:
		return sackText(data, shift)
	case o.Kind == OptTimestamps && n == 8:
		return fmt.Sprintf("TS val %d ecr %d", binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]))
	case o.Kind == OptMD5 && n == 16:
		return "md5" + hexText(data)
	case o.Kind == OptUserTimeout && n == 2:
		return userTimeoutText(binary.BigEndian.Uint16(data))
	case o.Kind == OptAO && n >= 2:
		return fmt.Sprintf("ao keyid %d rnextkeyid %d mac%s", data[0], data[1], hexText(data[2:]))
	case o.Kind == OptMPTCP && n >= 1:
		return "mptcp " + mptcpSubtype(data[0]>>4) + hexText(data)
	case o.Kind == OptFastOpen && n == 0:
		return "tfo cookiereq"
	case o.Kind == OptFastOpen && n >= 4 && n <= 16 && n%2 == 0: // RFC 7413 section 2
		return "tfo cookie" + hexText(data)
	case o.Kind == OptAccECN0 && n%3 == 0 && n <= 9:
		return "accecn0" + accECNText(data)
	case o.Kind == OptAccECN1 && n%3 == 0 && n <= 9:
		return "accecn1" + accECNText(data)
	case (o.Kind == OptExperiment1 || o.Kind == OptExperiment2) && n >= 2:
		return fmt.Sprintf("exp %d id 0x%x%s", o.Kind, data[:2], hexText(data[2:]))
	case slices.Contains(knownOptions, o.Kind):
		return fmt.Sprintf("MALFORMED(%d)%s", o.Kind, hexText(data))
	}
	return fmt.Sprintf("UNKNOWN(%d)%s", o.Kind, hexText(data))
}

// hexText is a space and the data, or nothing where there is none.
func hexText(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	return " " + hex.EncodeToString(data)
}

func sackText(data []byte, shift uint32) string {
	text := "sack"
	for ; len(data) > 0; data = data[8:] {
		left, right := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
		text += fmt.Sprintf(" {%d:%d}", left+shift, right+shift)
	}
	return text
}

// userTimeoutText reads the timeout's unit from its highest bit: minutes or seconds (RFC 5482 section 3.1).
func userTimeoutText(v uint16) string {
	if v&0x8000 != 0 {
		return fmt.Sprintf("uto %dm", v&0x7fff)
	}
	return fmt.Sprintf("uto %ds", v)
}

// accECNText shows the counters in the order they are sent, each 24 bits (RFC 9768 section 3.2.3).
func accECNText(data []byte) (text string) {
	for ; len(data) > 0; data = data[3:] {
		text += fmt.Sprintf(" %d", uint32(data[0])<<16|uint32(data[1])<<8|uint32(data[2]))
	}
	return text
}

// mptcpSubtype is the name in RFC 8684 section 9.2.
func mptcpSubtype(n byte) string {
	return nameOf([]string{
		"MP_CAPABLE", "MP_JOIN", "DSS", "ADD_ADDR", "REMOVE_ADDR", "MP_PRIO", "MP_FAIL", "MP_FASTCLOSE", "MP_TCPRST",
	}, n)
}
