package scenario

// closings: who goes through which states at the end of a connection.
var closings = []*Scenario{
	halfClose,
	closing,
}
