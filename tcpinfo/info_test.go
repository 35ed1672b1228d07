package tcpinfo

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pattern is a struct tcp_info in which every byte is different enough to tell fields apart.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 3)
	}
	return b
}

func TestDecodeInfoOfEveryLength(t *testing.T) {
	full := pattern(knownLen + 20)
	for n := 1; n <= len(full); n++ {
		i, err := DecodeInfo(full[:n])
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if i.Len != n || len(i.Extra) != max(0, n-knownLen) {
			t.Fatalf("%d bytes: Len %d, Extra %d bytes", n, i.Len, len(i.Extra))
		}
		for _, f := range fields {
			got, has := i.Value(f.Name)
			if want := n >= max(f.Offset+f.Size, f.need); has != want || i.Has(f.Name) != want {
				t.Fatalf("%d bytes: %s present %v, want %v", n, f.Name, has, want)
			}
			want := uint64(0)
			if has {
				want = f.limit(f.read(full, bigEndian))
			}
			if got != want || f.get(&i) != want {
				t.Fatalf("%d bytes: %s is %d (in the struct %d), want %d", n, f.Name, got, f.get(&i), want)
			}
		}
	}
}

// limit is the most that Info can hold of a field: 292 years of a time.
func (f *Field) limit(v uint64) uint64 {
	switch f.Unit {
	case UnitMicroseconds:
		return min(v, math.MaxInt64/uint64(time.Microsecond))
	case UnitMilliseconds:
		return min(v, math.MaxInt64/uint64(time.Millisecond))
	}
	return v
}

// The way through the table and the straight one come to the same, for every length and on every kernel's layout.
func TestStraightIsTheTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= knownLen+8; n++ {
		for _, kernel := range []release{{4, 19}, {6, 18}, {7, 0}} {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			want := Info{Len: n, layout: kernel}
			if want.byTable(b, kernel); n > knownLen {
				want.Extra = b[knownLen:]
			}
			got := Info{RTT: 1, Len: 3, Extra: []byte{1}, DeliveryRateAppLimited: true} // of an earlier socket
			if err := got.decode(b, kernel); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%d bytes, Linux %v: %v\ngot  %+v\nwant %+v", n, kernel, err, got, want)
			}
		}
	}
}

func TestDecodeInfoOfNothing(t *testing.T) {
	if _, err := DecodeInfo(nil); err == nil {
		t.Error("no bytes were decoded without an error")
	}
}

func TestBitFields(t *testing.T) {
	cases := []struct {
		at      int
		b       byte
		name    string
		little  uint64
		big     uint64
		comment string
	}{
		{6, 0xA7, "snd_wscale", 7, 0xA, "the first nibble declared: low on little-endian machines"},
		{6, 0xA7, "rcv_wscale", 0xA, 7, "the second nibble declared"},
		{7, 0b0000_0001, "delivery_rate_app_limited", 1, 0, ""},
		{7, 0b1000_0000, "delivery_rate_app_limited", 0, 1, ""},
		{7, 0b0000_0110, "fastopen_client_fail", 3, 0, ""},
		{7, 0b0110_0000, "fastopen_client_fail", 0, 3, ""},
		{7, 0b0000_0100, "fastopen_client_fail", 2, 0, ""},
		{7, 0b0100_0000, "fastopen_client_fail", 0, 2, ""},
	}
	for _, c := range cases {
		b := make([]byte, knownLen)
		b[c.at] = c.b
		f := fieldByName[c.name]
		if got := f.read(b, false); got != c.little {
			t.Errorf("%s of %#08b, little-endian: %d, want %d %s", c.name, c.b, got, c.little, c.comment)
		}
		if got := f.read(b, true); got != c.big {
			t.Errorf("%s of %#08b, big-endian: %d, want %d %s", c.name, c.b, got, c.big, c.comment)
		}
	}
}

// Every row has a place in Info of its own, and every place in Info has a row.
func TestTableCoversInfo(t *testing.T) {
	var info Info
	v := reflect.ValueOf(&info).Elem()
	hit := map[string]string{}
	for _, f := range fields {
		info = Info{}
		f.put(&info, 1)
		if f.get(&info) != 1 {
			t.Errorf("%s: wrote 1, read %d", f.Name, f.get(&info))
		}
		for n := range v.NumField() {
			name := v.Type().Field(n).Name
			if v.Field(n).IsZero() {
				continue
			}
			if hit[name] != "" {
				t.Errorf("%s and %s share Info.%s", hit[name], f.Name, name)
			}
			hit[name] = f.Name
			if squeezed := strings.ToLower(strings.ReplaceAll(f.Name, "_", "")); squeezed != strings.ToLower(name) {
				t.Errorf("%s is kept in Info.%s", f.Name, name)
			}
		}
	}
	for n := range v.NumField() {
		name := v.Type().Field(n).Name
		if hit[name] == "" && name != "Len" && name != "Extra" && name != "layout" {
			t.Errorf("Info.%s has no row in the table", name)
		}
	}
}

// The struct's length in the Linux that first had the fields, from the history of include/uapi/linux/tcp.h.
var lengthIn = map[string]int{
	"2.4": 92, "2.6": 104, "3.15": 120, "4.1": 136, "4.2": 144, "4.6": 160, "4.9": 168, "4.10": 192, "4.18": 200,
	"4.19": 224, "5.4": 232, "5.5": 232, "6.2": 240, "6.7": 248, "6.18": 280,
}

func TestTableIsOrderly(t *testing.T) {
	end := 0 // bits
	for _, f := range fields {
		at, width := f.Offset*8+f.Bit, f.Bits
		if width == 0 {
			end, width = (end+7)/8*8, f.Size*8
		}
		if at != end {
			t.Errorf("%s is at byte %d bit %d: there is a gap or an overlap", f.Name, f.Offset, f.Bit)
		}
		end = at + width
		if f.Offset%f.Size != 0 {
			t.Errorf("%s: %d bytes at %d are not aligned", f.Name, f.Size, f.Offset)
		}
		length, known := lengthIn[f.Since]
		if need := max(f.need, f.Offset+f.Size); !known || need > length {
			t.Errorf("%s since %s, when the struct was %d bytes long, needs %d", f.Name, f.Since, length, need)
		}
		if !strings.HasSuffix(f.Doc, ".") || f.Name != strings.ToLower(f.Name) {
			t.Errorf("%s: %q is no sentence, or the name is not the kernel's", f.Name, f.Doc)
		}
	}
	if end != knownLen*8 {
		t.Errorf("the table ends at bit %d, not at byte %d", end, knownLen)
	}
	if list := Fields(); len(list) != len(fields) {
		t.Errorf("Fields returns %d of %d", len(list), len(fields))
	}
}

// Of a listener the kernel fills in a handful of fields and leaves the rest zero: those are absent.
func TestListenerReportsFewFields(t *testing.T) {
	b := make([]byte, knownLen)
	b[0] = byte(Listen)
	native.PutUint32(b[24:], 3)
	native.PutUint32(b[28:], 128)
	i, err := DecodeInfo(b)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for f := range i.All() {
		names = append(names, f.Name)
	}
	want := "state unacked sacked snd_cwnd reordering pacing_rate max_pacing_rate"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("reported of a listener: %s\nwant: %s", got, want)
	}
	if i.Unacked != 3 || i.Sacked != 128 {
		t.Errorf("queue %d of %d, want 3 of 128", i.Unacked, i.Sacked)
	}
}

// Linux 7.0 put other fields where 6.18 has accecn_fail_mode and accecn_opt_seen, in a struct of the same length.
func TestLayoutOfNewerKernels(t *testing.T) {
	for _, c := range []struct {
		kernel release
		has    bool
	}{{release{6, 18}, true}, {release{6, 19}, true}, {release{7, 0}, false}, {release{8, 3}, false}} {
		i, err := decodeInfo(pattern(knownLen), c.kernel)
		if err != nil {
			t.Fatal(err)
		}
		if i.Has("accecn_fail_mode") != c.has || i.Has("accecn_opt_seen") != c.has || (i.AccECNOptSeen != 0) != c.has {
			t.Errorf("Linux %v: accecn fields present %v, want %v", c.kernel, i.Has("accecn_opt_seen"), c.has)
		}
		if !i.Has("received_ce_bytes") {
			t.Errorf("Linux %v: received_ce_bytes is absent", c.kernel)
		}
	}
}

func TestInfoUnits(t *testing.T) {
	b := make([]byte, knownLen)
	native.PutUint32(b[8:], 204000)
	native.PutUint32(b[44:], 1500)
	native.PutUint64(b[168:], 3_000_000)
	native.PutUint32(b[244:], 7)
	native.PutUint32(b[148:], ^uint32(0))
	i, err := DecodeInfo(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]time.Duration{
		"RTO": {i.RTO, 204 * time.Millisecond}, "LastDataSent": {i.LastDataSent, 1500 * time.Millisecond},
		"BusyTime": {i.BusyTime, 3 * time.Second}, "TotalRTOTime": {i.TotalRTOTime, 7 * time.Millisecond},
		"MinRTT": {i.MinRTT, 4294967295 * time.Microsecond},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %v, want %v", name, c[0], c[1])
		}
	}
	if v, _ := i.Value("busy_time"); v != 3_000_000 {
		t.Errorf("busy_time is %d µs", v)
	}
}

func TestInfoJSON(t *testing.T) {
	b := pattern(12)
	b[0], b[1], b[5], b[6] = byte(Established), 4, 0b1000_0111, 0x97
	i, err := DecodeInfo(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(&i)
	if err != nil {
		t.Fatal(err)
	}
	snd, rcv := "7", "9"
	if bigEndian {
		snd, rcv = rcv, snd
	}
	rto, _ := json.Marshal(native.Uint32(b[8:]))
	want := `{"state":"ESTABLISHED","ca_state":"Loss","retransmits":17,"probes":24,"backoff":31,` +
		`"options":["timestamps","sack","wscale","tfo_child"],"snd_wscale":` + snd + `,"rcv_wscale":` + rcv + `,"rto_us":` + string(rto) + `}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	full, err := json.Marshal(func() Info { i, _ := DecodeInfo(pattern(300)); return i }())
	if err != nil || !json.Valid(full) {
		t.Errorf("%v: %s", err, full)
	}
}

func TestEnumNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{CARecovery.String(), "Recovery"}, {CAState(9).String(), "UNKNOWN(9)"},
		{FastopenDataNotAcked.String(), "data not acknowledged"}, {FastopenFail(4).String(), "UNKNOWN(4)"},
		{AccECNSeen(2).String(), "counter seen"}, {AccECNSeen(700).String(), "UNKNOWN(700)"},
		{TCPOptions(0).String(), ""}, {(OptSACK | OptUsecTS).String(), "sack,usec_ts"},
		{AccECNFail(0b100101).String(), "ace_fail_send,opt_fail_send,UNKNOWN(5)"},
		{TimerPersist.String(), "persist"}, {TimerKind(77).String(), "UNKNOWN(77)"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// x/sys has the same struct, without bit-fields and without a length: where both read a field they agree.
func TestAgainstXSys(t *testing.T) {
	p := newPair(t)
	c := p.client
	x, err := unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	i, err := Get(c)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(*x)
	compared := 0
	for n := range v.NumField() {
		name := strings.ToLower(v.Type().Field(n).Name)
		if strings.HasPrefix(name, "last_") || v.Field(n).Kind() > reflect.Uint64 {
			continue
		}
		got, ok := i.Value(name)
		if !ok {
			continue
		}
		compared++
		if got != v.Field(n).Uint() {
			t.Errorf("%s is %d here and %d in x/sys", name, got, v.Field(n).Uint())
		}
	}
	if compared < 40 {
		t.Errorf("only %d fields were compared", compared)
	}
}

func TestGetErrors(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_, err = Get(&fdSocket{t: t, fd: fd})
	var e *Error
	if !errors.As(err, &e) || e.Errno == 0 || !strings.HasPrefix(err.Error(), "getsockopt(TCP_INFO): ") {
		t.Errorf("of a UDP socket: %v", err)
	}
}

func FuzzDecodeInfo(f *testing.F) {
	for _, n := range []int{0, 1, 7, 8, 92, 104, 191, 192, 232, 280, 281, 400} {
		f.Add(pattern(n))
	}
	for _, body := range recordedBodies(f) {
		f.Add(attrData(body, attrInfo))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := DecodeInfo(b)
		if (err != nil) != (len(b) == 0) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if len(i.Extra) != max(0, len(b)-knownLen) {
			t.Fatalf("%d bytes: %d of them kept as extra", len(b), len(i.Extra))
		}
		for f, v := range i.All() {
			if f.Offset+f.Size > len(b) || v != f.limit(f.read(b, bigEndian)) {
				t.Fatalf("%s is %d in %d bytes", f.Name, v, len(b))
			}
		}
		if j, err := json.Marshal(i); err != nil || !json.Valid(j) {
			t.Fatalf("%v: %s", err, j)
		}
	})
}

// attrData is the data of a body's attribute of that type.
func attrData(body []byte, typ uint16) []byte {
	for b := body[sizeofDiagMsg:]; ; {
		a, rest, ok, err := nextAttr(b)
		if err != nil || !ok {
			return nil
		}
		if a.Type == typ {
			return a.Data
		}
		b = rest
	}
}

// TestGetAllocates: nothing, whatever asks.
func TestGetAllocates(t *testing.T) {
	p := newPair(t)
	var err error
	if allocs := testing.AllocsPerRun(100, func() { _, err = Get(p.client) }); allocs >= 1 || err != nil {
		t.Errorf("%v allocations, %v", allocs, err)
	}
}
