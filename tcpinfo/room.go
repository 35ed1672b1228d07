package tcpinfo

// decoder turns sock_diag's messages into Sockets.
type decoder struct {
	kernel release
	only   *room // what every Socket points to; nil: each has its own
	rooms  []room
	made   int
	cong   string // the last one's congestion control: mostly it is the next one's, too
}

// room is what a Socket points to.
type room struct {
	info        Info
	mem         Memory
	cgroupID    uint64
	mark        uint32
	classID     uint32
	sockOpt     SockOpt
	shutdown    Shutdown
	tos, tclass uint8
	v6only      bool
	*rare       // nil: none of them came
}

// rare is what few sockets have: a congestion control that tells of itself.
type rare struct {
	vegas VegasInfo
	dctcp DCTCPInfo
	bbr   BBRInfo
}

func (r *room) withRare() *rare {
	if r.rare == nil {
		r.rare = new(rare)
	}
	return r.rare
}

// mostRooms is how many are made at once.
const mostRooms = 64

func (d *decoder) room() *room {
	if d.only != nil {
		return d.only
	}
	if len(d.rooms) == 0 {
		d.made = min(max(1, 2*d.made), mostRooms)
		d.rooms = make([]room, d.made)
	}
	r := &d.rooms[0]
	d.rooms = d.rooms[1:]
	return r
}

// name is a string that the kernel ends with a NUL.
func (d *decoder) name(b []byte) string {
	if n := len(b) - 1; n >= 0 && b[n] == 0 && string(b[:n]) == d.cong {
		return d.cong
	}
	d.cong = text(b)
	return d.cong
}
