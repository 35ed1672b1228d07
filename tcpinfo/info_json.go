package tcpinfo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
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
	info := reflect.ValueOf(i)
	for n := range fields {
		f := &fields[n]
		if !i.has(f) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		var value any = f.get(&i)
		switch v := info.Field(n).Interface().(type) {
		case time.Duration: // the kernel's number
		case bool:
			value = v
		case interface{ Names() []string }:
			value = v.Names()
		case fmt.Stringer:
			value = v.String()
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b = append(append(strconv.AppendQuote(b, f.jsonName()), ':'), text...)
	}
	return append(b, '}'), nil
}
