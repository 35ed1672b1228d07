package stage

// TrySend is send(2) that may fail or fall short: write(2) with flags.
func (c *Conn) TrySend(p []byte, flags int) (int, error) {
	defer c.look()
	return c.sock.Send(p, flags)
}

// TryRecv is recv(2) that may fail: read(2) with flags.
func (c *Conn) TryRecv(n, flags int) ([]byte, error) {
	return c.receive(n, func(b []byte) (int, error) { return c.sock.Recv(b, flags) })
}

// Dup is dup(2): one more descriptor for the same socket.
func (c *Conn) Dup() *Conn {
	sock, err := c.sock.Dup()
	c.Must(err)
	return c.side.adopt(sock)
}

// TryGetpeername is getpeername(2) that may fail.
func (c *Conn) TryGetpeername() error {
	_, err := c.sock.Getpeername()
	return err
}

// AtMark is sockatmark(3): whether the next byte is the urgent one.
func (c *Conn) AtMark() bool {
	at, err := c.sock.AtMark()
	c.Must(err)
	return at
}

// Poll is poll(2) that does not wait: which of the events are there.
func (c *Conn) Poll(events int16) int16 {
	revents, err := c.sock.Poll(events, 0)
	c.Must(err)
	return revents
}
