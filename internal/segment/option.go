package segment

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

// maxOptionData is what fits into one option: all of the option space but kind and length. A malformed option
// keeps its length octet as data, hence one octet more in [Option].
const maxOptionData = MaxOptions - 2

// Option is one TCP option: a value, comparable, that refers to no packet.
type Option struct {
	Kind OptionKind
	form optionForm
	n    uint8 // octets of data
	data [maxOptionData + 1]byte
}

type optionForm uint8

const (
	whole     optionForm = iota
	malformed            // the length octet cannot be right
	cut                  // the capture ends inside the option
)

// Data is what follows kind and length. Of a malformed option it is everything that follows the kind.
func (o Option) Data() []byte { return o.data[:o.n] }

// SACKBlock is a run of octets that arrived out of order: sequence numbers from Left up to, not including, Right.
type SACKBlock struct{ Left, Right uint32 }
