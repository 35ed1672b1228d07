package scenario

// addresses: who may have which port.
var addresses = []*Scenario{
	reuseaddr,
	reuseport,
	portExhaustion,
}

// failures: when the other side, or the way to it, is gone.
var failures = []*Scenario{
	crash,
	abort,
}
