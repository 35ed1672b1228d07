package scenario

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
	c.must(err)
	return c.side.adopt(sock)
}
