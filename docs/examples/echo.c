/* An echo server, one client at a time: cc -o /tmp/own docs/examples/echo.c && /tmp/own 7007 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int check(int result, const char *call)
{
	if (result < 0) {
		perror(call);
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof addr;
	addr.sin_port = htons(argc > 1 ? atoi(argv[1]) : 7007);
	int l = check(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;
	check(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
	check(bind(l, (struct sockaddr *)&addr, sizeof addr), "bind");
	check(listen(l, 128), "listen");
	check(getsockname(l, (struct sockaddr *)&addr, &size), "getsockname");
	dprintf(1, "listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
	for (;;) {
		char buf[4096];
		int c = check(accept(l, NULL, NULL), "accept");
		ssize_t n = read(c, buf, sizeof buf);
		if (n <= 0)
			continue; /* it has nothing to say */
		for (; n > 0; n = read(c, buf, sizeof buf))
			for (ssize_t at = 0, put = 0; at < n && put >= 0; at += put)
				put = send(c, buf + at, n - at, MSG_NOSIGNAL);
		close(c);
	}
}
