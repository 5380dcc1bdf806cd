"""Draws docs/pictures/fleet.svg: the dashboard's panels, with what a real fleet answers.

``picture.py PROMETHEUS PID:PORT...``, as ``ci/fleet.sh picture`` calls it, takes a minute and a
half. Grafana draws them more finely.
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen
from xml.sax.saxutils import escape

import dashboard
from asking import Prometheus

PATH = pathlib.Path(__file__).parents[2] / "docs/pictures/fleet.svg"
SECONDS, STEP = 75, 1
#: Of a column and a row of Grafana's grid, and what is between panels.
COLUMN, ROW, GAP = 50, 26, 8
RAMP = ((115, 191, 105), (250, 222, 42), (242, 73, 92))
LINES = ("#73bf69", "#5794f2", "#ff9830", "#b877d9", "#fade2a", "#8ab8ff", "#ff7383", "#96d98d", "#ffb357", "#ca95e5")


def main(url: str, processes: list[tuple[int, int]]) -> None:
    prometheus = Prometheus(url)
    start = time.time()
    time.sleep(20)
    # The shared key grows until it is hot; then one process ends.
    for n in range(20):
        urlopen(f"http://127.0.0.1:{processes[n % len(processes)][1]}/plant", timeout=5).close()
        time.sleep(1.5)
    os.kill(processes[0][0], signal.SIGKILL)
    time.sleep(max(0.0, SECONDS + 10 - (time.time() - start)))
    parts = list(drawn(prometheus))
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard.loaded()["panels"]) * ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {dashboard.WIDTH * COLUMN} {height}" '
        'font-family="sans-serif" font-size="11" fill="#ccccdc">'
    )
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text("\n".join([head, '<rect width="100%" height="100%" fill="#111217"/>', *parts, "</svg>", ""]))
    print(f"{PATH.name}: {len(PATH.read_text()):,} bytes")


def drawn(prometheus: Prometheus) -> Iterator[str]:
    """All panels."""
    for panel in dashboard.loaded()["panels"]:
        place = panel["gridPos"]
        width, height = place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
        yield f'<g transform="translate({place["x"] * COLUMN + GAP / 2} {place["y"] * ROW + GAP / 2})">'
        yield f'<rect width="{width}" height="{height}" rx="3" fill="#181b1f" stroke="#2c3036"/>'
        yield text(10, 18, panel["title"], 'font-weight="bold"')
        yield from DRAW[panel["type"]](prometheus, panel, width, height)
        yield "</g>"


def text(x: float, y: float, what: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{escape(what)}</text>'


def shown(number: float, unit: str) -> str:
    """A number as a panel has it."""
    if unit == "percentunit":
        return f"{number:.1%}".replace(".0%", "%")
    if unit == "bytes":
        return f"{number / 1024:,.0f} KiB"
    return f"{number:,.1f}".removesuffix(".0")


def filled(template: str, labels: dict[str, str]) -> str:
    """A legend's text."""
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def ramp(share: float) -> str:
    """The colour of a share, from green over yellow to red."""
    place = min(max(share, 0.0), 1.0) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(RAMP[low], RAMP[low + 1], strict=True))
    return "#" + "".join(f"{each:02x}" for each in mixed)


def step_colour(panel: dict[str, Any], number: float) -> str:
    """The colour of a panel's threshold that a number has reached."""
    colours = {"green": "#73bf69", "yellow": "#fade2a", "orange": "#ff9830", "red": "#f2495c", "text": "#ccccdc"}
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return colours[[each["color"] for each in steps if each["value"] is None or number >= each["value"]][-1]]


def draw_numbers(prometheus: Prometheus, panel: dict[str, Any], width: float, height: float) -> Iterator[str]:
    """A stat's or a gauge's."""
    target, defaults = panel["targets"][0], panel["fieldConfig"]["defaults"]
    found = sorted(prometheus.ask(dashboard.filled(target["expr"])), key=lambda each: sorted(each[0].items()))
    for n, (labels, number) in enumerate(found):
        middle = width * (n + 0.5) / len(found)
        number_text = (
            shown(number, defaults["unit"])
            if defaults["unit"] == "percentunit"
            else f"{number:.{defaults['decimals']}f}"
        )
        style = f'text-anchor="middle" font-size="30" fill="{step_colour(panel, number)}"'
        yield text(middle, height * 0.62, number_text, style)
        yield text(middle, height * 0.85, filled(target["legendFormat"], labels), 'text-anchor="middle"')


def draw_table(prometheus: Prometheus, panel: dict[str, Any], width: float, height: float) -> Iterator[str]:
    organize = next(each for each in panel["transformations"] if each["id"] == "organize")["options"]
    rows: dict[tuple[tuple[str, str], ...], dict[str, str | float]] = {}
    for target in panel["targets"]:
        for labels, number in prometheus.ask(dashboard.filled(target["expr"])):
            named = {name: value for name, value in labels.items() if name != "__name__"}
            rows.setdefault(tuple(sorted(named.items())), {**named})[f"Value #{target['refId']}"] = number
    columns = [column for column in organize["indexByName"] if any(column in row for row in rows.values())]
    ordered = sorted(rows.values(), key=lambda row: -float(row.get("Value #D", 0)))
    titles = [organize["renameByName"][column] for column in columns]
    needed = [
        max(len(title) + 2, *(len(str(row.get(column, ""))) + 2 for row in ordered), 22 if column == "Value #D" else 0)
        for title, column in zip(titles, columns, strict=True)
    ]
    wide = [(width - 20) * each / sum(needed) for each in needed]
    yield f'<g font-size="{min(11.0, (width - 20) / sum(needed) * 1.85):.1f}">'
    at = [10 + sum(wide[:n]) for n in range(len(columns))]
    yield from (text(x, 40, title, 'fill="#6e9fff"') for x, title in zip(at, titles, strict=True))
    for n, row in enumerate(ordered[: int((height - 50) / 17)]):
        y = 58 + 17 * n
        for x, column in zip(at, columns, strict=True):
            value = row.get(column, "")
            if column == "Value #D":
                full = wide[-1] - 40
                share = float(value)
                yield f'<rect x="{x:.0f}" y="{y - 9}" width="{full:.0f}" height="10" fill="#22252b"/>'
                bar = full * min(share, 1)
                yield f'<rect x="{x:.0f}" y="{y - 9}" width="{bar:.0f}" height="10" fill="{step_colour(panel, share)}"/>'
                yield text(x + full + 6, y, f"{share:.0%}")
            else:
                yield text(x, y, value if isinstance(value, str) else shown(value, "short"))
    yield "</g>"


def ranges(prometheus: Prometheus, panel: dict[str, Any]) -> list[tuple[str, dict[float, float], bool]]:
    """Each series: its legend, its numbers by time, and whether it is a line across."""
    found = []
    for target in panel["targets"]:
        for series in prometheus.ask_range(dashboard.filled(target["expr"]), SECONDS, STEP):
            numbers = {float(at): float(number) for at, number in series["values"]}
            found.append(
                (
                    filled(target["legendFormat"], series["metric"]),
                    numbers,
                    target["legendFormat"].startswith("threshold"),
                )
            )
    return found


def span(series: list[tuple[str, dict[float, float], bool]]) -> tuple[float, float]:
    times = [at for _, numbers, _ in series for at in numbers]
    return min(times), max(max(times), min(times) + 1)


def draw_cells(prometheus: Prometheus, panel: dict[str, Any], width: float, height: float) -> Iterator[str]:
    """A history of states."""
    series = sorted(ranges(prometheus, panel), key=lambda each: -max(each[1].values()))
    first, last = span(series)
    left, tall = 240, (height - 40) / len(series)
    wide = (width - left - 10) / (last - first + STEP)
    for n, (name, numbers, _) in enumerate(series):
        y = 30 + n * tall
        yield text(left - 8, y + tall * 0.7, name, 'text-anchor="end"')
        # Neighbours of one colour are one.
        runs: list[tuple[float, float, str]] = []
        for at, number in sorted(numbers.items()):
            colour = ramp(round(number * 25) / 25)
            if runs and runs[-1][2] == colour and at - runs[-1][1] <= STEP + 0.01:
                runs[-1] = (runs[-1][0], at, colour)
            else:
                runs.append((at, at, colour))
        for start, end, colour in runs:
            x, w = left + (start - first) * wide, (end - start + STEP) * wide
            yield f'<rect x="{x:.1f}" y="{y + 1:.1f}" width="{w:.1f}" height="{tall - 2:.1f}" fill="{colour}"/>'


def draw_lines(prometheus: Prometheus, panel: dict[str, Any], width: float, height: float) -> Iterator[str]:
    series = ranges(prometheus, panel)
    first, last = span(series)
    most = max(1e-9, *(number for _, numbers, _ in series for number in numbers.values())) * 1.05
    left, top, bottom = 70, 30, height - 46
    for n in range(4):
        y = bottom - (bottom - top) * n / 3
        yield f'<path d="M{left} {y:.0f}H{width - 10}" stroke="#2c3036"/>'
        number_text = shown(most * n / 3, panel["fieldConfig"]["defaults"]["unit"])
        yield text(left - 6, y + 4, number_text, 'text-anchor="end"')
    for n, (name, numbers, across) in enumerate(series):
        places = (
            (left + (at - first) / (last - first) * (width - left - 10), bottom - number / most * (bottom - top))
            for at, number in sorted(numbers.items())
        )
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        colour = "#f2495c" if across else LINES[n % len(LINES)]
        dashes = ' stroke-dasharray="5 4"' if across else ""
        yield f'<path d="{path}" fill="none" stroke="{colour}"{dashes}/>'
        x, y = 10 + (n % 4) * (width - 20) / 4, height - 26 + 13 * (n // 4)
        if y < height:
            yield f'<text x="{x:.0f}" y="{y:.0f}" font-size="9" fill="{colour}">{escape(name[:32])}</text>'


DRAW = {
    "stat": draw_numbers,
    "gauge": draw_numbers,
    "table": draw_table,
    "status-history": draw_cells,
    "timeseries": draw_lines,
}

main(sys.argv[1], [(int(pid), int(port)) for pid, port in (each.split(":") for each in sys.argv[2:])])
