package tcpinfo

import (
	"math"
	"time"
)

// Units of struct tcp_info's times.
const (
	us = time.Microsecond
	ms = time.Millisecond
)

// straight reads a whole struct tcp_info as the table of its fields says, without going through the table, which takes
// seven times as long. A test holds the two to be the same.
func (i *Info) straight(b *[knownLen]byte) {
	i.wholeBytes(b)
	if bits := &b[6]; bigEndian {
		i.SndWscale, i.RcvWscale = *bits>>4, *bits&15
		i.DeliveryRateAppLimited, i.FastopenClientFail = b[7]>>7 == 1, FastopenFail(b[7]>>5&3)
	} else {
		i.SndWscale, i.RcvWscale = *bits&15, *bits>>4
		i.DeliveryRateAppLimited, i.FastopenClientFail = b[7]&1 == 1, FastopenFail(b[7]>>1&3)
	}
}

func (i *Info) wholeBytes(b *[knownLen]byte) {
	i.State = State(b[0])
	i.CAState = CAState(b[1])
	i.Retransmits = b[2]
	i.Probes = b[3]
	i.Backoff = b[4]
	i.Options = TCPOptions(b[5])
	i.RTO = time.Duration(native.Uint32(b[8:])) * us
	i.ATO = time.Duration(native.Uint32(b[12:])) * us
	i.SndMSS = native.Uint32(b[16:])
	i.RcvMSS = native.Uint32(b[20:])
	i.Unacked = native.Uint32(b[24:])
	i.Sacked = native.Uint32(b[28:])
	i.Lost = native.Uint32(b[32:])
	i.Retrans = native.Uint32(b[36:])
	i.Fackets = native.Uint32(b[40:])
	i.LastDataSent = time.Duration(native.Uint32(b[44:])) * ms
	i.LastAckSent = time.Duration(native.Uint32(b[48:])) * ms
	i.LastDataRecv = time.Duration(native.Uint32(b[52:])) * ms
	i.LastAckRecv = time.Duration(native.Uint32(b[56:])) * ms
	i.PMTU = native.Uint32(b[60:])
	i.RcvSsthresh = native.Uint32(b[64:])
	i.RTT = time.Duration(native.Uint32(b[68:])) * us
	i.RTTVar = time.Duration(native.Uint32(b[72:])) * us
	i.SndSsthresh = native.Uint32(b[76:])
	i.SndCwnd = native.Uint32(b[80:])
	i.AdvMSS = native.Uint32(b[84:])
	i.Reordering = native.Uint32(b[88:])
	i.RcvRTT = time.Duration(native.Uint32(b[92:])) * us
	i.RcvSpace = native.Uint32(b[96:])
	i.TotalRetrans = native.Uint32(b[100:])
	i.PacingRate = native.Uint64(b[104:])
	i.MaxPacingRate = native.Uint64(b[112:])
	i.BytesAcked = native.Uint64(b[120:])
	i.BytesReceived = native.Uint64(b[128:])
	i.SegsOut = native.Uint32(b[136:])
	i.SegsIn = native.Uint32(b[140:])
	i.NotsentBytes = native.Uint32(b[144:])
	i.MinRTT = time.Duration(native.Uint32(b[148:])) * us
	i.DataSegsIn = native.Uint32(b[152:])
	i.DataSegsOut = native.Uint32(b[156:])
	i.DeliveryRate = native.Uint64(b[160:])
	i.BusyTime = longTime(native.Uint64(b[168:]))
	i.RwndLimited = longTime(native.Uint64(b[176:]))
	i.SndbufLimited = longTime(native.Uint64(b[184:]))
	i.Delivered = native.Uint32(b[192:])
	i.DeliveredCE = native.Uint32(b[196:])
	i.BytesSent = native.Uint64(b[200:])
	i.BytesRetrans = native.Uint64(b[208:])
	i.DSACKDups = native.Uint32(b[216:])
	i.ReordSeen = native.Uint32(b[220:])
	i.RcvOOOPack = native.Uint32(b[224:])
	i.SndWnd = native.Uint32(b[228:])
	i.RcvWnd = native.Uint32(b[232:])
	i.Rehash = native.Uint32(b[236:])
	i.TotalRTO = native.Uint16(b[240:])
	i.TotalRTORecoveries = native.Uint16(b[242:])
	i.TotalRTOTime = time.Duration(native.Uint32(b[244:])) * ms
	i.ReceivedCE = native.Uint32(b[248:])
	i.DeliveredE1Bytes = native.Uint32(b[252:])
	i.DeliveredE0Bytes = native.Uint32(b[256:])
	i.DeliveredCEBytes = native.Uint32(b[260:])
	i.ReceivedE1Bytes = native.Uint32(b[264:])
	i.ReceivedE0Bytes = native.Uint32(b[268:])
	i.ReceivedCEBytes = native.Uint32(b[272:])
	i.AccECNFailMode = AccECNFail(native.Uint16(b[276:]))
	i.AccECNOptSeen = AccECNSeen(native.Uint16(b[278:]))
}

// longTime cuts times of more than 292 years, which a Duration cannot hold, to that.
func longTime(v uint64) time.Duration {
	if v > math.MaxInt64/uint64(us) {
		v = math.MaxInt64 / uint64(us)
	}
	return time.Duration(v) * us
}
