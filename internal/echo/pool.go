package echo

// spareBuffers is how many unused buffers the pool keeps; more are left to the garbage collector.
const spareBuffers = 64

// pool lends the buffers in which stalled connections keep what they could not write. The loop owns it: no locks.
type pool struct {
	size  int
	spare [][]byte
}

// get returns a buffer of pool.size bytes.
func (p *pool) get() []byte {
	last := len(p.spare) - 1
	if last < 0 {
		return make([]byte, p.size)
	}
	b := p.spare[last]
	p.spare[last] = nil
	p.spare = p.spare[:last]
	return b
}

// put takes one back.
func (p *pool) put(b []byte) {
	if len(p.spare) < spareBuffers {
		p.spare = append(p.spare, b)
	}
}
