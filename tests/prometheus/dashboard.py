"""Checks deploy/grafana/hotpart-fleet.json as a program, and asks its expressions as a module.

With ``grafana-foundation-sdk`` installed, Grafana's own model of a dashboard reads it too, and must lose nothing of it.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from asking import Prometheus

PATH = pathlib.Path(__file__).parents[2] / "deploy/grafana/hotpart-fleet.json"
WIDTH = 24
#: Stands for what Grafana puts in their place, for a quarter of an hour and a scrape each second.
VARIABLES = {"$operation": "write|read", "$table": ".*", "$__range": "15m", "$__rate_interval": "4s"}
#: Series from which Grafana takes the choices of a variable.
LABEL_VALUES = re.compile(r"label_values\(([\w:]+), (\w+)\)")


def loaded() -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(PATH.read_text())
    return dashboard


def targets(dashboard: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each panel with each of its targets."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel, target


def filled(expression: str) -> str:
    """The expression as Grafana would ask it."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"an unknown variable: {expression}"
    return expression


def answered(prometheus: Prometheus) -> int:
    """Asks all expressions, none of which may have an empty answer, and says how many they are."""
    asked = 0
    for panel, target in targets(loaded()):
        expression = filled(target["expr"])
        answer = prometheus.ask(expression) if target["instant"] else prometheus.ask_range(expression, 20, 1)
        assert answer, f"{panel['title']}: nothing answers {expression}"
        asked += 1
    for variable in loaded()["templating"]["list"]:
        if variable["type"] == "query":
            found = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert found, variable
            assert prometheus.values(found[2], found[1]), variable
            asked += 1
    return asked


def check(dashboard: dict[str, Any]) -> None:
    """Checks what Grafana takes without a word, and shows wrongly."""
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids), "two panels have one id"
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        title = panel["title"]
        assert title and panel["description"], panel["id"]
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["w"] > 0 and place["h"] > 0 and place["x"] + place["w"] <= WIDTH, title
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{title} is over {taken[x, y]}"
                taken[x, y] = title
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(set(refs)) == len(refs), title
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}, title
        # A renamed column of a table is one that a target has.
        for step in panel.get("transformations", []):
            for column in step["options"].get("renameByName", {}):
                assert not column.startswith("Value #") or column[-1] in refs, (title, column)
    holes = {(x, y) for y in range(max(y for _, y in taken) + 1) for x in range(WIDTH)} - set(taken)
    assert not holes, f"nothing is at {min(holes)}"
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert names == {"datasource", "operation", "table"}
    for _, target in targets(dashboard):
        filled(target["expr"])


def check_model(dashboard: dict[str, Any]) -> bool:
    """Checks it against Grafana's model, if that is installed; says whether it is."""
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard
    except ImportError:
        return False
    register_default_plugins()
    back = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    lost = list(differences(dashboard, back, "dashboard"))
    assert not lost, f"Grafana's model does not know {lost}"
    return True


def differences(ours: Any, theirs: Any, at: str) -> Iterator[str]:
    """Where what came back is not what was given. Defaults that were added are none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from differences(value, theirs[key], f"{at}.{key}") if key in theirs else [f"{at}.{key}"]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for n, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(our, their, f"{at}[{n}]")
    elif ours != theirs:
        yield at


if __name__ == "__main__":
    check(loaded())
    model = "Grafana's model knows all of it" if check_model(loaded()) else "Grafana's model is not installed"
    print(f"the dashboard: {len(loaded()['panels'])} panels, side by side; {model}")
