package tcpinfo

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStateNames(t *testing.T) {
	for _, c := range []struct {
		s               State
		rfc, ss, kernel string
	}{
		{1, "ESTABLISHED", "ESTAB", "TCP_ESTABLISHED"},
		{2, "SYN-SENT", "SYN-SENT", "TCP_SYN_SENT"},
		{3, "SYN-RECEIVED", "SYN-RECV", "TCP_SYN_RECV"},
		{4, "FIN-WAIT-1", "FIN-WAIT-1", "TCP_FIN_WAIT1"},
		{5, "FIN-WAIT-2", "FIN-WAIT-2", "TCP_FIN_WAIT2"},
		{6, "TIME-WAIT", "TIME-WAIT", "TCP_TIME_WAIT"},
		{7, "CLOSED", "UNCONN", "TCP_CLOSE"},
		{8, "CLOSE-WAIT", "CLOSE-WAIT", "TCP_CLOSE_WAIT"},
		{9, "LAST-ACK", "LAST-ACK", "TCP_LAST_ACK"},
		{10, "LISTEN", "LISTEN", "TCP_LISTEN"},
		{11, "CLOSING", "CLOSING", "TCP_CLOSING"},
		{12, "SYN-RECEIVED", "SYN-RECV", "TCP_NEW_SYN_RECV"},
		{13, "CLOSED", "UNCONN", "TCP_BOUND_INACTIVE"},
		{0, "UNKNOWN(0)", "UNKNOWN(0)", "UNKNOWN(0)"},
		{14, "UNKNOWN(14)", "UNKNOWN(14)", "UNKNOWN(14)"},
		{255, "UNKNOWN(255)", "UNKNOWN(255)", "UNKNOWN(255)"},
	} {
		if c.s.String() != c.rfc || c.s.SS() != c.ss || c.s.Kernel() != c.kernel {
			t.Errorf("state %d is %s, %s, %s; want %s, %s, %s", c.s, c.s, c.s.SS(), c.s.Kernel(), c.rfc, c.ss, c.kernel)
		}
	}
}

func TestParseState(t *testing.T) {
	for _, s := range States() {
		for _, name := range []string{s.String(), s.SS(), s.Kernel(), strings.ToLower(s.SS()), " " + strings.ReplaceAll(s.String(), "-", "_") + "\n"} {
			if got, err := ParseState(name); got != s || err != nil {
				t.Errorf("%q is %v (%v), want %v", name, got, err, s)
			}
		}
	}
	for name, want := range map[string]State{
		"syn_recv": SynReceived, "FIN_WAIT2": FinWait2, "closed": Closed, "CLOSE": Closed, "timewait": TimeWait, "closing": Closing,
		"TCP_NEW_SYN_RECV": newSynRecv, "bound-inactive": BoundInactive, "established": Established,
	} {
		if got, err := ParseState(name); got != want || err != nil {
			t.Errorf("%q is %d (%v), want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"", "TCP_", "OPEN", "UNKNOWN(3)", "1", "SYN"} {
		if got, err := ParseState(name); err == nil {
			t.Errorf("%q is taken for %v", name, got)
		}
	}
}

func TestStateJSON(t *testing.T) {
	b, err := json.Marshal(map[string]State{"s": FinWait1})
	if err != nil || string(b) != `{"s":"FIN-WAIT-1"}` {
		t.Errorf("%s, %v", b, err)
	}
	var back map[string]State
	if err := json.Unmarshal(b, &back); err != nil || back["s"] != FinWait1 {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"s":"NONE"}`), &back); err == nil {
		t.Error("a state of no such name was read")
	}
}

func TestStateMask(t *testing.T) {
	m := MaskOf(Listen, SynReceived)
	if !m.Has(Listen) || !m.Has(SynReceived) || m.Has(Established) || !StateMask(0).Has(Closing) {
		t.Errorf("%b", m)
	}
	for _, c := range []struct {
		mask StateMask
		want uint32
	}{
		{0, 0x3ffe}, {AllStates, 0x3ffe}, {AllStates &^ MaskOf(SynReceived), 0x2ff6}, {MaskOf(Established), 1 << 1},
		{MaskOf(SynReceived), 1<<3 | 1<<12}, {MaskOf(newSynRecv), 1 << 12},
		{MaskOf(Closed), 1<<7 | 1<<13}, {MaskOf(BoundInactive), 1 << 13},
	} {
		if got := c.mask.kernelBits(); got != c.want {
			t.Errorf("the kernel is asked for %b with the mask %b, want %b", got, c.mask, c.want)
		}
	}
}

func TestStates(t *testing.T) {
	if len(States()) != 11 {
		t.Fatalf("%d states, RFC 9293 has 11", len(States()))
	}
}
