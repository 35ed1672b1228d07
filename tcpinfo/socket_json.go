package tcpinfo

import (
	"encoding/json"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// socketJSON is a Socket in JSON: a number's unit is in its name, and what the kernel did not report is absent.
type socketJSON struct {
	Family    string          `json:"family"`
	State     State           `json:"state"`
	Local     netip.AddrPort  `json:"local"`
	Remote    *netip.AddrPort `json:"remote,omitempty"`
	Interface uint32          `json:"interface,omitempty"`
	Cookie    uint64          `json:"cookie"`
	Timer     *TimerKind      `json:"timer,omitempty"`
	ExpiresMS *int64          `json:"expires_ms,omitempty"`
	Retrans   *uint8          `json:"retrans,omitempty"`
	RecvQ     uint32          `json:"recv_q"`
	SendQ     uint32          `json:"send_q"`
	UID       *uint32         `json:"uid,omitempty"`
	Inode     uint32          `json:"inode,omitempty"`
	Shutdown  []string        `json:"shutdown,omitempty"`
	Cong      string          `json:"congestion,omitempty"`
	ULP       string          `json:"ulp,omitempty"`
	TOS       *uint8          `json:"tos,omitempty"`
	TClass    *uint8          `json:"tclass,omitempty"`
	V6Only    *bool           `json:"v6only,omitempty"`
	Mark      *uint32         `json:"mark,omitempty"`
	ClassID   *uint32         `json:"class_id,omitempty"`
	CgroupID  *uint64         `json:"cgroup_id,omitempty"`
	SockOpt   *SockOpt        `json:"sockopt,omitempty"`
	Mem       *Memory         `json:"skmem,omitempty"`
	Vegas     *VegasInfo      `json:"vegas,omitempty"`
	DCTCP     *DCTCPInfo      `json:"dctcp,omitempty"`
	BBR       *BBRInfo        `json:"bbr,omitempty"`
	Info      *Info           `json:"tcp_info,omitempty"`
	Unknown   []attrJSON      `json:"unknown,omitempty"`
}

type attrJSON struct {
	Type uint16 `json:"type"`
	Data []byte `json:"data"` // base64
}

// MarshalJSON writes what the kernel reported and leaves out what it did not.
func (s Socket) MarshalJSON() ([]byte, error) {
	j := socketJSON{
		Family: familyName(s.Family), State: s.State, Local: s.Local, Interface: s.Interface, Cookie: s.Cookie,
		RecvQ: s.RecvQ, SendQ: s.SendQ, Inode: s.Inode, Cong: s.Cong, ULP: s.ULP, TOS: s.TOS, TClass: s.TClass,
		V6Only: s.V6Only, Mark: s.Mark, ClassID: s.ClassID, CgroupID: s.CgroupID,
		SockOpt: s.SockOpt, Mem: s.Mem, Vegas: s.Vegas, DCTCP: s.DCTCP, BBR: s.BBR, Info: s.Info,
	}
	if s.Remote.Port() != 0 {
		j.Remote = &s.Remote
	}
	if s.Timer.Kind != TimerNone {
		ms := s.Timer.Expires.Milliseconds()
		j.Timer, j.ExpiresMS, j.Retrans = &s.Timer.Kind, &ms, &s.Timer.Retrans
	}
	if s.Shutdown != nil { // reported of every full socket, and of no small entry
		j.UID = &s.UID
		j.Shutdown = s.Shutdown.Names()
	}
	for _, a := range s.Unknown {
		j.Unknown = append(j.Unknown, attrJSON(a))
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

// MarshalJSON uses the kernel's names.
func (d DCTCPInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"enabled": d.Enabled, "ce_state": d.CEState, "alpha": d.Alpha, "ab_ecn_bytes": d.AbECN, "ab_tot_bytes": d.AbTot,
	})
}

// MarshalJSON names the units of rates and times.
func (b BBRInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"bw_bytes_per_s": b.Bandwidth, "min_rtt_us": b.MinRTT / time.Microsecond,
		"pacing_gain": b.PacingGain, "cwnd_gain": b.CwndGain,
	})
}
