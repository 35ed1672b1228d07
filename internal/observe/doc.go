// Package observe puts into the timeline what was seen of sockets, whoever saw it: their calls (a tracer of sockapi's),
// their states (tcpinfo's watcher), their transitions (the kernel's tracepoint), and their segments, on this host's
// interfaces or on a wire of the program's own.
package observe
