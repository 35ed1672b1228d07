package tcpinfo

import (
	"encoding/json"
	"strconv"
)

// jsonName is the field's key in JSON: the kernel's name, and the unit of times and rates behind it, as in "rtt_us".
func (f Field) jsonName() string {
	switch f.Unit {
	case UnitMicroseconds, UnitMilliseconds, UnitBytesPerSecond:
		return f.Name + "_" + string(f.Unit)
	}
	return f.Name
}

// MarshalJSON writes the fields that the kernel reported, in the struct's order and under the kernel's names; times and
// rates have their unit behind the name. Absent fields are left out. States and the like are names, sets are lists of
// names.
func (i Info) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for f, v := range i.All() {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, f.jsonName()), ':')
		b = i.appendValue(b, f.Name, v)
	}
	return append(b, '}'), nil
}

func (i *Info) appendValue(b []byte, name string, v uint64) []byte {
	switch name {
	case "state":
		return strconv.AppendQuote(b, i.State.String())
	case "ca_state":
		return strconv.AppendQuote(b, i.CAState.String())
	case "options":
		return appendJSON(b, i.Options.Names())
	case "delivery_rate_app_limited":
		return strconv.AppendBool(b, i.DeliveryRateAppLimited)
	case "fastopen_client_fail":
		return strconv.AppendQuote(b, i.FastopenClientFail.String())
	case "accecn_fail_mode":
		return appendJSON(b, i.AccECNFailMode.Names())
	case "accecn_opt_seen":
		return strconv.AppendQuote(b, i.AccECNOptSeen.String())
	}
	return strconv.AppendUint(b, v, 10)
}

func appendJSON(b []byte, names []string) []byte {
	list, err := json.Marshal(names)
	if err != nil { // a list of plain words cannot fail
		return append(b, "null"...)
	}
	return append(b, list...)
}
