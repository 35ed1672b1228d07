package survey

// slab makes many of the same at a time: thousands of sockets are looked at, and one allocation each is what would cost
// most.
type slab[T any] struct{ free []T }

func (s *slab[T]) next() *T {
	if len(s.free) == 0 {
		s.free = make([]T, 128)
	}
	p := &s.free[0]
	s.free = s.free[1:]
	return p
}
