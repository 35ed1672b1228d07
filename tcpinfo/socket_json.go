package tcpinfo

import (
	"encoding/json"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// MarshalJSON writes what the kernel reported and leaves out what it did not; a number's unit is in its name.
func (s Socket) MarshalJSON() ([]byte, error) {
	type tagged Socket // has no methods
	j := struct {
		Family string `json:"family"`
		tagged
		Remote    netip.AddrPort `json:"remote,omitzero"`
		Timer     *TimerKind     `json:"timer,omitempty"`
		ExpiresMS *int64         `json:"expires_ms,omitempty"`
		Retrans   *uint8         `json:"retrans,omitempty"`
		UID       *uint32        `json:"uid,omitempty"`
		Shutdown  []string       `json:"shutdown,omitempty"`
	}{Family: familyName(s.Family), tagged: tagged(s)}
	if s.Remote.Port() != 0 {
		j.Remote = s.Remote
	}
	if s.Timer.Kind != TimerNone {
		j.Timer, j.ExpiresMS, j.Retrans = &s.Timer.Kind, new(s.Timer.Expires.Milliseconds()), &s.Timer.Retrans
	}
	if s.Shutdown != nil { // reported of every full socket, and of no small entry
		j.UID = &s.UID
		j.Shutdown = s.Shutdown.Names()
	}
	return json.Marshal(j)
}

func familyName(f uint8) string {
	switch f {
	case unix.AF_INET:
		return "inet"
	case unix.AF_INET6:
		return "inet6"
	}
	return enum(uint64(f))
}

// MarshalJSON names the units of times.
func (v VegasInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"enabled": v.Enabled, "rttcnt": v.RTTCnt, "rtt_us": v.RTT / time.Microsecond, "minrtt_us": v.MinRTT / time.Microsecond,
	})
}

// MarshalJSON names the units of rates and times.
func (b BBRInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"bw_bytes_per_s": b.Bandwidth, "min_rtt_us": b.MinRTT / time.Microsecond,
		"pacing_gain": b.PacingGain, "cwnd_gain": b.CwndGain,
	})
}
