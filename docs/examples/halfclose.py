import socket

with socket.create_connection(("127.0.0.1", 7007)) as s:
    s.sendall(b"hello\n")
    s.shutdown(socket.SHUT_WR)
    while data := s.recv(4096):
        print(data)
