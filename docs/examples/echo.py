"""An echo server, one client at a time: python3 docs/examples/echo.py 7007"""
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 7007
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(128)
print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
while True:
    conn, _ = listener.accept()
    try:
        data = conn.recv(4096)
        if not data:
            continue  # it has nothing to say
        while data:
            conn.sendall(data)
            data = conn.recv(4096)
    except OSError as err:  # such as ECONNRESET: the end of this connection only
        print(err, file=sys.stderr)
    conn.close()
