package page

import (
	"socklife/internal/rfc9293"
	"socklife/tcpinfo"
)

// place is where a state stands in the diagram: its middle. CLOSED stands twice, as in the figure: a connection begins
// in one and ends in the other.
type place struct {
	State tcpinfo.State `json:"state"`
	X     int           `json:"x"`
	Y     int           `json:"y"`
	End   bool          `json:"end,omitempty"`
}

// places are as in figure 5 of RFC 9293.
var places = []place{
	{State: tcpinfo.Closed, X: 200, Y: 22},
	{State: tcpinfo.Listen, X: 200, Y: 96},
	{State: tcpinfo.SynReceived, X: 66, Y: 170},
	{State: tcpinfo.SynSent, X: 334, Y: 170},
	{State: tcpinfo.Established, X: 200, Y: 244},
	{State: tcpinfo.FinWait1, X: 66, Y: 318},
	{State: tcpinfo.CloseWait, X: 334, Y: 318},
	{State: tcpinfo.FinWait2, X: 66, Y: 400},
	{State: tcpinfo.Closing, X: 200, Y: 400},
	{State: tcpinfo.LastAck, X: 334, Y: 400},
	{State: tcpinfo.TimeWait, X: 200, Y: 482},
	{State: tcpinfo.Closed, X: 334, Y: 482, End: true},
}

// edge is an arrow of the diagram.
type edge struct {
	From  tcpinfo.State `json:"from"`
	To    tcpinfo.State `json:"to"`
	When  string        `json:"when"`            // what brings it about
	Short string        `json:"short,omitempty"` // the same, beside the arrow; "" is an arrow that is not in the figure, and drawn when it was walked
	Bend  int           `json:"bend,omitempty"`  // how far its middle is to the left of the straight line
	X     int           `json:"x,omitempty"`     // the middle of what is beside it
	Y     int           `json:"y,omitempty"`
	Linux bool          `json:"linux"`
}

// beside is what stands beside an arrow of the figure, and where.
var beside = map[[2]tcpinfo.State]edge{
	{tcpinfo.Closed, tcpinfo.Listen}:           {Short: "listen()", Bend: -7, X: 160, Y: 62},
	{tcpinfo.Listen, tcpinfo.Closed}:           {Short: "close()", Bend: -7, X: 232, Y: 60},
	{tcpinfo.Closed, tcpinfo.SynSent}:          {Short: "connect()", Bend: 38, X: 346, Y: 62},
	{tcpinfo.SynSent, tcpinfo.Closed}:          {Short: "RST", Bend: -6, X: 296, Y: 118},
	{tcpinfo.Listen, tcpinfo.SynReceived}:      {Short: "SYN comes", X: 104, Y: 130},
	{tcpinfo.SynReceived, tcpinfo.Closed}:      {Short: "RST", Bend: 30, X: 84, Y: 72},
	{tcpinfo.SynSent, tcpinfo.SynReceived}:     {Short: "SYN comes", X: 200, Y: 164},
	{tcpinfo.SynReceived, tcpinfo.Established}: {Short: "ACK comes", X: 162, Y: 202},
	{tcpinfo.SynSent, tcpinfo.Established}:     {Short: "SYN-ACK comes", X: 316, Y: 214},
	{tcpinfo.SynReceived, tcpinfo.FinWait1}:    {Short: "close(), FIN", X: 30, Y: 246},
	{tcpinfo.Established, tcpinfo.FinWait1}:    {Short: "close(), FIN", X: 96, Y: 276},
	{tcpinfo.Established, tcpinfo.CloseWait}:   {Short: "FIN comes", X: 302, Y: 276},
	{tcpinfo.FinWait1, tcpinfo.FinWait2}:       {Short: "ACK comes", X: 34, Y: 362},
	{tcpinfo.FinWait1, tcpinfo.Closing}:        {Short: "FIN comes", X: 170, Y: 356},
	{tcpinfo.FinWait1, tcpinfo.TimeWait}:       {Short: "FIN+ACK", X: 177, Y: 431},
	{tcpinfo.FinWait2, tcpinfo.TimeWait}:       {Short: "FIN comes", X: 92, Y: 452},
	{tcpinfo.Closing, tcpinfo.TimeWait}:        {Short: "ACK comes", X: 232, Y: 442},
	{tcpinfo.CloseWait, tcpinfo.LastAck}:       {Short: "close(), FIN", X: 368, Y: 360},
	{tcpinfo.LastAck, tcpinfo.Closed}:          {Short: "ACK comes", X: 364, Y: 442},
	{tcpinfo.TimeWait, tcpinfo.Closed}:         {Short: "60 s", X: 268, Y: 476},
	{tcpinfo.Listen, tcpinfo.SynSent}:          {Short: "not in Linux", X: 250, Y: 138},
}

// edges are the transitions of RFC 9293, as they are drawn.
func edges() (list []edge) {
	for _, t := range rfc9293.Transitions {
		e := beside[[2]tcpinfo.State{t.From, t.To}]
		e.From, e.To, e.When, e.Linux = t.From, t.To, t.When, t.Linux
		list = append(list, e)
	}
	return list
}
