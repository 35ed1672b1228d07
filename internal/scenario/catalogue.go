package scenario

import "slices"

// catalogue is every scenario, by group, in the order a reader meets them.
var catalogue = slices.Concat(opening, closings, closingCalls, addresses, failures, onTheWire)

// opening: how a connection begins.
var opening = []*Scenario{
	handshake,
	synQueue,
	backlog,
	refused,
	connectTimeout,
	simultaneousOpen,
	selfConnect,
	acceptReset,
}
