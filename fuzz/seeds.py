#!/usr/bin/env python3
"""Writes inputs for the targets observe and partiql to build/fuzz/seeds, made from the cases of the tests."""

import hashlib
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = ROOT / "build/fuzz/seeds"
TEXT = r'(?:r(?P<hashes>#+)"(?P<raw>.*?)"(?P=hashes)|"(?P<plain>(?:\\.|[^"\\])*)")'


def text(match):
    """The bytes that a literal of Rust's stands for."""
    raw, plain = match["raw"], match["plain"]
    return raw if raw is not None else re.sub(r"\\(.)", r"\1", plain)


def literals(source):
    return [text(match) for match in re.finditer(TEXT, source, re.S)]


def write(target, seed):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(seed.encode()).hexdigest()[:12]).write_text(seed)


def one_line(json):
    return " ".join(json.split())


def exchange(statement):
    """The four lines of a case: operation, status, request, answer."""
    case = re.search(r'case\(\s*"(\w+)",\s*&?(?:format!\()?' + TEXT, statement, re.S)
    if not case:
        return None
    status, answer = 200, "{}"
    if exception := re.search(r'\.exception\(\s*"(\w+)",\s*' + TEXT, statement, re.S):
        rest = text(exception)
        name = f'"__type":"com.amazonaws.dynamodb.v20120810#{exception[1]}"'
        status, answer = 400, "{" + ",".join(filter(None, [name, rest])) + "}"
    elif given := re.search(r"\.answer\(\s*" + TEXT, statement, re.S):
        answer = text(given)
    elif given := re.search(r"\.status\(\s*(\d+),\s*" + TEXT, statement, re.S):
        status, answer = given[1], text(given)
    elif ".no_answer()" in statement:
        status, answer = 0, ""
    return "\n".join([case[1], str(status), one_line(text(case)), one_line(answer)])


def main():
    for path in sorted((ROOT / "tests/observe").glob("*.rs")):
        source = path.read_text()
        for statement in source.split(";\n"):
            # A case that was made of another begins anew.
            for part in re.split(r"(?=\bcase\()", statement):
                if seed := exchange(part):
                    write("observe", seed)
        if path.stem == "damage":
            requests = re.findall(r'\(\s*"(\w+)",\s*r(#+)"(.*?)"\2,?\s*\)', source, re.S)
            answers = re.findall(r'\(\s*(\d+),\s*r#"(.*?)"#,?\s*\)', source, re.S)
            for operation, _, request in requests:
                for status, answer in answers:
                    write("observe", "\n".join([operation, status, one_line(request), one_line(answer)]))
    for path in [ROOT / "tests/observe/statements.rs", ROOT / "tests/observe/hostile.rs", ROOT / "src/dynamodb/partiql/tests.rs"]:
        for literal in literals(path.read_text()):
            for statement in re.findall(r'"Statement":"((?:\\.|[^"\\])*)"', literal) or [literal]:
                statement = re.sub(r"\\(.)", r"\1", statement)
                if re.match(r"\s*(select|insert|update|delete|exists|from)\b", statement, re.I):
                    write("partiql", statement)


main()
