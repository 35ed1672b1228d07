package scenario

// closingCalls: what the calls that end a connection do, and do not do.
var closingCalls = []*Scenario{
	lingerOff,
	lingerReset,
	lingerWait,
	unreadDataReset,
	lostResponse,
	writeAfterClose,
	shutdownRead,
	shutdownVsClose,
	shutdownListener,
	urgent,
	resets,
}
