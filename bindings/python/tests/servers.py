"""Servers on loopback that answer no request."""

import contextlib
import socket
import struct
import threading


@contextlib.contextmanager
def server(serve):
    """The port of a server that does ``serve`` with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ends = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    ends.append(connection)
                    with contextlib.suppress(OSError):
                        serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for end in ends:
                end.close()


def resets(connection):
    """Reads the request, or the greeting of TLS, and resets the connection."""
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def refuses_to_connect(connection):
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 407 no\r\nContent-Length: 0\r\n\r\n")
    connection.close()


def silent(connection):
    connection.recv(65_536)


@contextlib.contextmanager
def full():
    """The port of a server that takes no connection any more."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
