#!/usr/bin/env python3
"""pick.py MOST PROGRAM FROM... TO: puts the few inputs of the folders FROM into TO that reach most of what all of them reach."""

import pathlib
import shutil
import subprocess
import sys
import tempfile


def features(program, folders):
    """The places that each file reaches, as libFuzzer numbers them: from the notes it keeps while it merges."""
    with tempfile.TemporaryDirectory() as work:
        notes = pathlib.Path(work, "notes")
        merged = pathlib.Path(work, "merged")
        merged.mkdir()
        command = [program, "-set_cover_merge=1", "-detect_leaks=0", f"-merge_control_file={notes}", merged, *folders]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        lines = notes.read_text().splitlines()
    count = int(lines[0])
    files = lines[2 : 2 + count]
    reached = {}
    for line in lines[2 + count :]:
        kind, number, *rest = line.split()
        if kind == "FT":
            reached.setdefault(files[int(number)], set()).update(rest)
    return reached


def main():
    most, program, *folders, to = sys.argv[1:]
    reached = features(program, folders)
    shutil.rmtree(to, ignore_errors=True)
    pathlib.Path(to).mkdir(parents=True)
    left = set().union(*reached.values())
    for _ in range(int(most)):
        best = max(reached, key=lambda file: (len(reached[file] & left), -pathlib.Path(file).stat().st_size))
        if not reached[best] & left:
            break
        left -= reached[best]
        shutil.copy(best, to)


main()
