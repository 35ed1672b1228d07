package scenario

// closings: who goes through which states at the end of a connection.
var closings = []*Scenario{
	halfClose,
	closing,
	serverClose,
	simultaneousClose,
	finWait1,
	lastAck,
	timeWait,
	timeWaitReuse,
	closeWaitLeak,
	finWait2Orphan,
}
