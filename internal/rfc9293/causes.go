package rfc9293

import "socklife/tcpinfo"

// Cause is what may bring a transition about: a call of the socket's owner, the arrival of a segment, or a timer.
type Cause struct {
	Call    string   // its name
	Arrives []string // the flags that the segment must have
	Timer   string   // tcpinfo's name of the timer that runs out; "on" is the retransmission timer
}

func call(names ...string) (list []Cause) {
	for _, n := range names {
		list = append(list, Cause{Call: n})
	}
	return list
}

func arrives(flags ...string) Cause { return Cause{Arrives: flags} }

func runsOut(name string) Cause { return Cause{Timer: name} }

// reset is what aborts a connection: a segment that comes, close() where it sends RST, or giving up.
var reset = append(call("close"), arrives("RST"), runsOut("on"), runsOut("keepalive"), runsOut("persist"))

var causes = map[[2]tcpinfo.State][]Cause{
	{tcpinfo.Closed, tcpinfo.Listen}:           call("listen"),
	{tcpinfo.Listen, tcpinfo.Closed}:           call("close", "shutdown"),
	{tcpinfo.Closed, tcpinfo.SynSent}:          call("connect"),
	{tcpinfo.SynSent, tcpinfo.Closed}:          append(call("close"), arrives("RST"), runsOut("on")),
	{tcpinfo.Listen, tcpinfo.SynReceived}:      {arrives("SYN")},
	{tcpinfo.SynSent, tcpinfo.SynReceived}:     {arrives("SYN")},
	{tcpinfo.SynReceived, tcpinfo.Established}: {arrives("ACK")},
	{tcpinfo.SynSent, tcpinfo.Established}:     {arrives("SYN", "ACK")},
	{tcpinfo.SynReceived, tcpinfo.Closed}:      {arrives("RST"), runsOut("on")},
	{tcpinfo.SynReceived, tcpinfo.FinWait1}:    call("close", "shutdown"),
	{tcpinfo.Established, tcpinfo.FinWait1}:    call("close", "shutdown"),
	{tcpinfo.Established, tcpinfo.CloseWait}:   {arrives("FIN")},
	{tcpinfo.FinWait1, tcpinfo.FinWait2}:       {arrives("ACK")},
	{tcpinfo.FinWait1, tcpinfo.Closing}:        {arrives("FIN")},
	{tcpinfo.FinWait1, tcpinfo.TimeWait}:       {arrives("FIN", "ACK")},
	{tcpinfo.FinWait2, tcpinfo.TimeWait}:       {arrives("FIN")},
	{tcpinfo.Closing, tcpinfo.TimeWait}:        {arrives("ACK")},
	{tcpinfo.CloseWait, tcpinfo.LastAck}:       call("close", "shutdown"),
	{tcpinfo.LastAck, tcpinfo.Closed}:          {arrives("RST"), arrives("ACK"), runsOut("on")},
	{tcpinfo.TimeWait, tcpinfo.Closed}:         {arrives("RST"), runsOut("timewait")},
	{tcpinfo.TimeWait, tcpinfo.SynReceived}:    {arrives("SYN")},
	{tcpinfo.Established, tcpinfo.Closed}:      reset,
	{tcpinfo.FinWait1, tcpinfo.Closed}:         reset,
	{tcpinfo.FinWait2, tcpinfo.Closed}:         {arrives("RST"), runsOut("timewait"), runsOut("keepalive")},
	{tcpinfo.CloseWait, tcpinfo.Closed}:        reset,
	{tcpinfo.Closing, tcpinfo.Closed}:          {arrives("RST"), runsOut("on")},
}

// Causes are what may bring a transition about, the likelier first; none of one that TCP does not have.
func Causes(from, to tcpinfo.State) []Cause { return causes[[2]tcpinfo.State{from, to}] }
