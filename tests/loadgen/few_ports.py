"""In a network namespace of its own, with 20 ephemeral ports (of an odd number connect(2) may pass over one):
an echo server on [::1], and the load generator against it.

Prints {"status": exit status, "result": what the load generator printed}. Not a test; test_bad_input.py runs it.
"""

import fcntl
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def bring_up_loopback():
    with socket.socket() as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def serve(connection):
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass


def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


bring_up_loopback()
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50019")
listener = socket.create_server(("::1", 4000), family=socket.AF_INET6, backlog=128)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
build = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).parents[2] / "build"))
done = subprocess.run([build / "loadgen" / "loadgen", "--target", "[::1]:4000", *sys.argv[1:], "--json", "-"],
                      stdout=subprocess.PIPE, text=True)
print(json.dumps({"status": done.returncode, "result": json.loads(done.stdout)}))
