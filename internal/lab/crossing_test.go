package lab

import (
	"encoding/binary"
	"testing"

	"socklife/internal/segment"
)

// acking is a segment without data that acknowledges everything before a number.
func acking(from Side, ack uint32) []byte {
	b := raw(from, segment.ACK, 1, "")
	binary.BigEndian.PutUint32(b[28:], ack)
	return b
}

// settled returns when neither lane is in the middle of anything: the server's has looked at what its delivery met.
func settled(w *Wire) {
	for _, l := range []*lane{w.lanes[1], w.lanes[0]} {
		func() {
			l.turn.Lock()
			defer l.turn.Unlock()
		}()
	}
}

// A FIN that was sent again because the wire was late with its acknowledgement does not arrive.
func TestAFinThatMeetsItsAcknowledgement(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{})
	late := w.lanes[1]
	late.turn.Lock()
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	server.want("bye")
	server.write(acking(Server, 5))
	client.write(raw(Client, segment.FIN|segment.ACK, 4, ""))
	await(t, "the second FIN is at the wire", func() bool {
		w.lanes[0].mu.Lock()
		defer w.lanes[0].mu.Unlock()
		return w.lanes[0].number == 2
	})
	late.turn.Unlock()
	client.want("")
	await(t, "the second FIN has met its fate", func() bool { return len(seen.all()) == 3 })
	seen.wantStory(t, `
		1 client "bye" delivered
		2 server ACK delivered
		3 client FIN+ACK dropped by late again
	`)
}

// One that is sent after its acknowledgement came, because its sender had not looked at that, does arrive; so does one
// of which only a part is acknowledged.
func TestAFinThatIsSentAgainAllTheSame(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{})
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	server.want("bye")
	server.write(acking(Server, 4))
	client.want("")
	settled(w)
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	server.want("bye")
	server.write(acking(Server, 5))
	client.want("")
	settled(w)
	client.write(raw(Client, segment.FIN|segment.ACK, 4, ""))
	server.want("")
	settled(w)
	w.lanes[0].turn.Lock() // what follows lies at the wire when a part of it is acknowledged
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye and more"))
	server.write(acking(Server, 6))
	client.want("")
	w.lanes[0].turn.Unlock()
	server.want("bye and more")
	if n := seen.count(Client, Dropped); n > 0 {
		t.Errorf("%d dropped:\n%s", n, seen.story())
	}
}

// Both copies lie at the wire, and the host that they are sent to is slow to answer.
func TestAFinThatLiesAtTheWireTwice(t *testing.T) {
	t.Parallel()
	w, client, server, seen := fakeWire(t, Config{})
	w.lanes[0].turn.Lock()
	before := w.lanes[0].emptied.Load()
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	w.lanes[0].turn.Unlock()
	server.want("bye")
	await(t, "nothing lies there any more", func() bool { return w.lanes[0].emptied.Load() > before })
	client.write(raw(Client, segment.FIN|segment.ACK, 1, "bye"))
	server.want("bye")
	seen.wantStory(t, `
		1 client "bye" delivered
		2 client "bye" dropped by late again
		3 client "bye" delivered again
	`)
}
