"""The classic first socket client: connects, sends what it was given, prints what comes back.

Arguments: port, text; with `--to-the-end` it says that it will send no more, and reads until the
other side closes.
"""

import socket
import sys

port, text, *rest = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.settimeout(20)
    s.connect(("127.0.0.1", int(port)))
    s.sendall(text.encode())
    if rest == ["--to-the-end"]:
        s.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: s.recv(1024), b""))
    else:
        answer = s.recv(1024)
sys.stdout.buffer.write(answer)
