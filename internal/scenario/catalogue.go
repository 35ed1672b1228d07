package scenario

// catalogue is every scenario, in the order a user meets them; each says which group it belongs to.
var catalogue = []*Scenario{
	// How a connection begins.
	handshake, synQueue, backlog, refused, connectTimeout, simultaneousOpen, selfConnect, acceptReset,
	// Who goes through which states at its end.
	halfClose, closing, serverClose, simultaneousClose, finWait1, lastAck, timeWait, timeWaitReuse, closeWaitLeak, finWait2Orphan,
	// What the calls that end a connection do, and do not do.
	lingerOff, lingerReset, lingerWait, unreadDataReset, lostResponse, writeAfterClose, shutdownRead, shutdownVsClose, shutdownListener,
	urgent, resets,
	// Who may have which port.
	reuseaddr, reuseport, portExhaustion,
	// When the other side, or the way to it, is gone.
	crash, abort,
	// What needs a wire that loses, delays and keeps segments.
	staleSYN, halfOpenExpiry, abortOnOverflow, lostLastAck, oldDuplicate, timeWaitReset, synLoss, synAckLoss, ackLoss, deadPeer,
}
