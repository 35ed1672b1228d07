/* An echo server as an epoll loop in C: level-triggered, one read(2) and one write(2) an event, what was not taken kept.
 * It is what echod is compared with. echo PORT-FILE: it listens on 127.0.0.1 and writes its port into that file. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (64 << 10)

struct conn {
	char *pending;
	size_t from, to;
};

static struct conn *conns;
static size_t room;
static char scratch[BUFFER];

static void die(const char *what) { perror(what); exit(1); }

static void control(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	if (epoll_ctl(ep, op, fd, &ev) < 0) die("epoll_ctl");
}

static void end(int fd)
{
	free(conns[fd].pending);
	conns[fd].pending = NULL;
	close(fd);
}

static void ready(int ep, int fd)
{
	struct conn *c = &conns[fd];
	if (c->pending) {
		ssize_t n = write(fd, c->pending + c->from, c->to - c->from);
		if (n < 0) { if (errno != EAGAIN) end(fd); return; }
		if ((c->from += n) < c->to) return;
		free(c->pending);
		c->pending = NULL;
		control(ep, EPOLL_CTL_MOD, fd, EPOLLIN);
		return;
	}
	ssize_t n = read(fd, scratch, sizeof scratch);
	if (n <= 0) { if (n == 0 || errno != EAGAIN) end(fd); return; }
	ssize_t w = write(fd, scratch, n);
	if (w < 0) { if (errno != EAGAIN) { end(fd); return; } w = 0; }
	if (w < n) {
		c->pending = malloc(n - w);
		if (!c->pending) die("malloc");
		memcpy(c->pending, scratch + w, n - w);
		c->from = 0;
		c->to = n - w;
		control(ep, EPOLL_CTL_MOD, fd, EPOLLOUT);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	struct rlimit files;
	int one = 1, ep = epoll_create1(EPOLL_CLOEXEC), l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (argc < 2 || ep < 0 || l < 0) die("echo");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { files.rlim_cur = files.rlim_max; setrlimit(RLIMIT_NOFILE, &files); }
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* which connections inherit */
	if (bind(l, (struct sockaddr *)&at, len) < 0 || listen(l, 4096) < 0 || getsockname(l, (struct sockaddr *)&at, &len) < 0) die("listen");
	FILE *f = fopen(argv[1], "w");
	if (!f || fprintf(f, "%d\n", ntohs(at.sin_port)) < 0 || fclose(f)) die(argv[1]);
	control(ep, EPOLL_CTL_ADD, l, EPOLLIN);
	for (;;) {
		struct epoll_event events[256];
		int n = epoll_wait(ep, events, 256, -1);
		if (n < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd != l) { ready(ep, fd); continue; }
			for (int k = 0; k < 64; k++) {
				int c = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (c < 0) break;
				if ((size_t)c >= room) {
					size_t more = 2 * (size_t)c + 64;
					conns = realloc(conns, more * sizeof *conns);
					if (!conns) die("realloc");
					memset(conns + room, 0, (more - room) * sizeof *conns);
					room = more;
				}
				control(ep, EPOLL_CTL_ADD, c, EPOLLIN);
			}
		}
	}
}
