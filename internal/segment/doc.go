// Package segment turns the bytes of TCP/IP packets into values, follows the numbering of a connection, and
// writes captures.
//
//   - [Decode] reads the segment in an IPv4 or IPv6 packet.
//   - [Flow] and [Flows] number the segments of a connection from its initial sequence numbers, scale the
//     windows, and say what is unusual about a segment in the words of Wireshark's tcp.analysis.
//   - [PcapWriter] writes pcapng, which Wireshark and tshark open.
//
// Everything but PcapWriter is pure: bytes or values in, values out, no I/O. Sources are cited where they are
// used: RFC 9293 (TCP), 7323 (window scale, timestamps), 2018 (SACK), 791 (IPv4), 8200 (IPv6), 792 and
// 4443 (ICMP), and the pcapng format (draft-ietf-opsawg-pcapng).
package segment
