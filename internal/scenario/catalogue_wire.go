package scenario

// onTheWire are those that need a wire which loses, delays and keeps segments; each belongs to a group like the others.
var onTheWire = []*Scenario{
	staleSYN,
	halfOpenExpiry,
	abortOnOverflow,
	lostLastAck,
	oldDuplicate,
	timeWaitReset,
	synLoss,
	synAckLoss,
	ackLoss,
	deadPeer,
}
