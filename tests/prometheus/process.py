"""One process of a fleet.

``process.py NUMBER`` serves its metrics on 127.0.0.1, on a port that it prints, until it is killed.
Asked for /plant it first records more of the key that all processes share. tests/c/fleet_process.c
is the same in C.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from hotpart import HotPartitionDetector


def main(number: str) -> None:
    # Its clock stands, so nothing leaves the window.
    detector = HotPartitionDetector(48_000, 144_000, 60, manual_clock=True)
    # Twelve keys of its own, which fill its top ten; those that all share, and small ones.
    for n in range(12):
        detector.record_write("orders", f"tenant-{number}-{n}", 12_000)
    detector.record_write("orders", "shared", 9_000)
    detector.record_read("catalogue", "front page", 20_000)
    for n in range(40):
        detector.record_write("orders", f"small-{number}-{n}", 200)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/plant":
                detector.record_write("orders", "shared", 1_000)
                detector.record_throttle("orders", "shared", "write", "key_range")
            body = detector.metrics(least=2_400, demand_only=True).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


main(sys.argv[1])
