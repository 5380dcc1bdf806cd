"""Compares a suite's runs: how each test ended, and what its clients were answered (``ci/suites.sh``).

``compare.py NAME DIRECTORY``: of each run there is RUN.xml, as pytest writes it, and RUN.json, as
``watching.py`` does.
"""

import collections
import json
import pathlib
import sys
import xml.etree.ElementTree

MODES = ("operations", "capacity")
#: The share of a suite's tests that may go another way by chance.
BY_CHANCE = 0.02


class Run:
    def __init__(self, directory, name):
        self.seen = json.loads((directory / f"{name}.json").read_text())
        #: How each test ended, by its name; where several have one, each of them.
        self.ends = collections.defaultdict(list)
        for case in xml.etree.ElementTree.parse(directory / f"{name}.xml").iter("testcase"):
            kinds = {each.tag for each in case} & {"error", "failure", "skipped"}
            self.ends[f"{case.get('classname')}::{case.get('name')}"].append("+".join(sorted(kinds)) or "passed")
        #: What its clients were answered, in any order and as often as they asked: some ask until something is done.
        self.answers = {test: set(map(json.dumps, each)) for test, each in self.seen["answers"].items()}


def differing(some, others):
    """Differences of the two, and how it is in each."""
    return {
        name: f"{_only(some.get(name), others.get(name))}, then {_only(others.get(name), some.get(name))}"
        for name in sorted(some.keys() | others.keys())
        if some.get(name) != others.get(name)
    }


def _only(one, other):
    return sorted(set(one or ()) - set(other or ())) or "nothing"


def main(suite, directory):
    plain, again, *watched = (Run(pathlib.Path(directory), name) for name in ("plain", "again", *MODES))
    faults = []
    by_chance = {**differing(plain.ends, again.ends), **differing(plain.answers, again.answers)}
    for name, how in by_chance.items():
        print(f"{suite}: left out, as it goes by chance: {name}: {how}")
    number = collections.Counter(end for ends in plain.ends.values() for end in ends)
    tests = sum(number.values())
    if len(by_chance) > BY_CHANCE * tests:
        faults.append(f"{len(by_chance)} of {tests} tests go by chance")
    if not number["passed"] > tests / 2:
        faults.append(f"without hooks {number['passed']} of {tests} tests passed")
    parts = [
        f"{number['passed']} passed, {tests - number['passed'] - number['skipped']} failed, {number['skipped']} "
        f"skipped, {sum(map(len, plain.seen['answers'].values()))} answers",
    ]
    for mode, run in zip(MODES, watched, strict=True):
        for said in run.seen["said"]:
            print(f"{suite}: {mode}: said: {said}")
        ends, answers = (
            {name: how for name, how in each.items() if name not in by_chance}
            for each in (differing(plain.ends, run.ends), differing(plain.answers, run.answers))
        )
        faults += [f"{mode}: {name}: {how}" for name, how in [*ends.items(), *answers.items()]]
        if not run.seen["records"] > 0:
            faults.append(f"{mode}: nothing was counted")
        parts.append(
            f"{mode}: {len(ends)} tests end and {len(answers)} are answered otherwise, {run.seen['records']} counted of "
            f"{run.seen['clients']} clients, {run.seen['warnings']} warnings, {run.seen['unread']} unread"
        )
    print(f"{suite}: {'; '.join(parts)}")
    for fault in faults:
        print(f"failed: {suite}: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
