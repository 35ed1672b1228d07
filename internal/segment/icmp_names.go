package segment

// Names of ICMP types and codes, after the IANA registries "ICMP Type Numbers" and "ICMPv6 Parameters". Types that
// have no code but 0 have no list of codes.

var icmp4Types = map[uint8]string{
	0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "redirect", 8: "echo request",
	9: "router advertisement", 10: "router solicitation", 11: "time exceeded", 12: "parameter problem",
	13: "timestamp request", 14: "timestamp reply", 42: "extended echo request", 43: "extended echo reply",
}

var icmp4Codes = map[uint8]map[uint8]string{
	3: {
		0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
		4: "fragmentation needed", 5: "source route failed", 6: "network unknown", 7: "host unknown",
		8: "host isolated", 9: "network administratively prohibited", 10: "host administratively prohibited",
		11: "network unreachable for this type of service", 12: "host unreachable for this type of service",
		13: "administratively prohibited", 14: "host precedence violation", 15: "precedence cutoff",
	},
	5:  {0: "network", 1: "host", 2: "type of service and network", 3: "type of service and host"},
	11: {0: "time to live", 1: "fragment reassembly"},
	12: {0: "pointer", 1: "required option missing", 2: "bad length"},
}

var icmp6Types = map[uint8]string{
	1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
	128: "echo request", 129: "echo reply", 130: "multicast listener query", 131: "multicast listener report",
	132: "multicast listener done", 133: "router solicitation", 134: "router advertisement",
	135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect",
	143: "multicast listener report v2", 160: "extended echo request", 161: "extended echo reply",
}

var icmp6Codes = map[uint8]map[uint8]string{
	1: {
		0: "no route", 1: "administratively prohibited", 2: "beyond scope of source address",
		3: "address unreachable", 4: "port unreachable", 5: "source address failed policy", 6: "reject route",
		7: "error in source routing header", 8: "headers too long",
	},
	3: {0: "hop limit", 1: "fragment reassembly"},
	4: {
		0: "erroneous header field", 1: "unrecognized next header", 2: "unrecognized option",
		3: "incomplete header chain in first fragment",
	},
}
