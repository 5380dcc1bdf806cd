"""Asks a Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

T = TypeVar("T")


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url

    def _get(self, path: str, **parameters: Any) -> Any:
        try:
            with urlopen(f"{self._url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise SystemExit(f"failed: {path} {parameters}: {error.read().decode()}") from error

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """The labels and numbers that are there now."""
        return [(each["metric"], float(each["value"][1])) for each in self._get("query", query=query)["result"]]

    def ask_range(self, query: str, seconds: float, step: float) -> list[dict[str, Any]]:
        """The series of the last seconds."""
        now = time.time()
        found: list[dict[str, Any]] = self._get("query_range", query=query, start=now - seconds, end=now, step=step)[
            "result"
        ]
        return found

    def values(self, label: str, series: str) -> list[str]:
        """Which values a label has."""
        found: list[str] = self._get(f"label/{label}/values", **{"match[]": series})
        return found

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Those that are pending or firing."""
        return [each for each in self._get("alerts")["alerts"] if each["labels"]["alertname"] == name]


def wait(what: str, seconds: float, ask: Callable[[], T | None]) -> T:
    """Waits until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except URLError:
            # It is not up yet.
            pass
        time.sleep(0.05)
    raise SystemExit(f"failed: not within {seconds} s: {what}")
