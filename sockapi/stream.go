package sockapi

import "io"

// Stream is a Socket as an io.Reader and io.Writer, for code that wants those.
type Stream struct{ s *Socket }

// Stream returns the socket as a stream.
func (s *Socket) Stream() Stream { return Stream{s} }

// Read is one read(2). The end of the stream is io.EOF.
func (st Stream) Read(p []byte) (int, error) {
	n, err := st.s.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Write makes write(2) calls until all of p is written or one fails.
func (st Stream) Write(p []byte) (int, error) {
	done := 0
	for {
		n, err := st.s.Write(p[done:])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}
