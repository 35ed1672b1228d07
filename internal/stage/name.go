package stage

// Name is what the lesson calls the socket, where it has several of a kind.
func (c *Conn) Name(name string) { c.name = name }
