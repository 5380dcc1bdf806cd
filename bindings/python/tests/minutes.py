"""Lines of closed minutes as tests read them."""

import json

from hotpart.cloudwatch import MinuteLines
from hotpart.testing import ManualDetector

WINDOW = 900


class Log(list):
    """Lines that are written, as JSON."""

    def __call__(self, line):
        assert "\n" not in line
        self.append(json.loads(line))

    def of(self, kind):
        return [line for line in self if line.get("hotpart") == kind]

    def totals(self):
        return [line for line in self if "_aws" in line]


def watched(window=WINDOW, lines=(), **options):
    detector = ManualDetector(2**50, 2**50, window, **options)
    log = Log()
    return detector, MinuteLines(detector, write=log, **dict(lines)), log
