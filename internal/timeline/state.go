package timeline

// The names that events have for the states of RFC 9293, section 3.3.2. CLOSED is also said of a connection that the kernel no
// longer knows.
const (
	Closed      = "CLOSED"
	Listen      = "LISTEN"
	SynSent     = "SYN-SENT"
	SynReceived = "SYN-RECEIVED"
	Established = "ESTABLISHED"
	FinWait1    = "FIN-WAIT-1"
	FinWait2    = "FIN-WAIT-2"
	CloseWait   = "CLOSE-WAIT"
	Closing     = "CLOSING"
	LastAck     = "LAST-ACK"
	TimeWait    = "TIME-WAIT"
)
