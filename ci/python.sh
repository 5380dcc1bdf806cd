#!/usr/bin/env bash
# Proves the Python package: it is built into a wheel and an sdist, both are installed into empty environments, and the wheel
# is tested there with the real boto3, aiobotocore and pydynox, against emulators of DynamoDB on loopback and a server that
# answers what none of them does; with the oldest supported botocore too; and with OpenTelemetry's SDK, a real collector and a real
# Prometheus. All is put under build/python.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need python3 npm cargo cc || exit 0

package=bindings/python
build=$PWD/build/python
source ci/emulators.sh
source ci/collector.sh

# For the flags that somebody has in his configuration cargo ignores some others: not those by which the package is built.
host=$(rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)
export "CARGO_TARGET_${host}_RUSTFLAGS=--cfg=theirs"

# As a user installs it: by pip from the folder, the wheel, and the sdist, and by uv, each into an empty environment.
rm -rf "$build/dist"
"$uv" build --quiet --out-dir "$build/dist" "$package" --wheel
"$uv" build --quiet --out-dir "$build/dist" "$package" --sdist
wheel=$(echo "$build"/dist/*.whl)
[[ $wheel == *-py3-none-*.whl ]]
installed() {
    (cd / && "$build/clean/bin/python" -c '
import hotpart
detector = hotpart.HotPartitionDetector(writes_threshold=500, reads_threshold=1500, window_seconds=60)
assert detector.record_write("events", "EVENTS") == 1
print("installed:", hotpart.__file__.partition("site-packages")[2], hotpart.library_version())')
    # The command is there too, and the licences of what it is built of.
    "$build/clean/bin/python" -c '
from importlib.metadata import files
names = {path.name for path in files("hotpart")}
assert {"THIRD-PARTY-LICENSES", "THIRD-PARTY-LICENSES-heatmap-page"} <= names, names'
    printf 'time_ms,operation,table,pk\n0,write,events,EVENTS\n' | "$build/clean/bin/hotpart" report --quiet --json - | grep -q EVENTS
}
for source in "./$package" "$wheel" "$(echo "$build"/dist/*.tar.gz)"; do
    # From the sdist all is built anew; in short without optimisation, which takes most of it.
    [[ ${QUICK:-} == true && $source == *.tar.gz ]] && export CARGO_PROFILE_RELEASE_{LTO=off,CODEGEN_UNITS=16,OPT_LEVEL=0}
    rm -rf "$build/clean"
    python3 -m venv "$build/clean"
    "$build/clean/bin/pip" install --quiet --disable-pip-version-check "$source"
    installed
    unset CARGO_PROFILE_RELEASE_{LTO,CODEGEN_UNITS,OPT_LEVEL}
done
"$uv" venv --quiet --clear --python "$(command -v python3)" "$build/clean"
"$uv" pip install --quiet --python "$build/clean/bin/python" "./$package"
installed
ci/paths.sh "$build"/clean/lib/python*/site-packages/hotpart/libhotpart.so "$build/clean/bin/hotpart"

export HOTPART_INCLUDE=$PWD/include
# The wheel's command counts what the tests record.
export HOTPART_COMMAND=$build/clean/bin/hotpart

# tests ENVIRONMENT ARGUMENT...: the tests by the installed wheel.
tests() {
    local python=$build/$1/bin/python
    shift
    "$uv" pip install --quiet --python "$python" --reinstall-package hotpart --no-deps "$wheel"
    "$python" -X dev -m pytest --quiet --tb=short -c "$package/pyproject.toml" --rootdir "$package" "$@"
}
tests newest "$package/tests" --ignore "$package/tests/test_aiobotocore.py"
environment oldest
tests oldest \
    "$package"/tests/test_{detector,fleet,memory,observe,life,warnings,instrument,unsent,capacity,schemas,undescribed,fork,fake,emulators,transparency,recording,recorded}.py
environment aiobotocore
tests aiobotocore "$package/tests/test_aiobotocore.py"

# Beside pydynox's own detector, in one run: told, not judged.
"$build/newest/bin/python" "$package/benches/benchmark.py" --quick

# The other Pythons that are there, on this machine's path or by pyenv; in short the oldest and the newest.
versions=(3.10 3.12 3.13 3.14)
[[ ${QUICK:-} == true ]] && versions=(3.10 3.13)
for version in "${versions[@]}"; do
    other=
    for each in "python$version" "$(pyenv root 2>/dev/null)/versions/$(pyenv latest "$version" 2>/dev/null)/bin/python"; do
        [[ $("$each" --version 2>/dev/null) == "Python $version."* ]] && other=$(command -v "$each") && break
    done
    # The oldest is what the package says it takes.
    if [[ -z $other && $version == "${versions[0]}" && ${CI:-} == true ]]; then
        "$uv" python install --quiet "$version" && other=$("$uv" python find "$version")
    fi
    if [[ -z $other ]]; then
        if [[ $version == "${versions[0]}" ]]; then
            skip "Python $version is not installed"
        else
            echo "skipped: Python $version is not installed"
        fi
        continue
    fi
    "$uv" venv --quiet --clear --python "$other" "$build/other"
    mapfile -t needed < <(grep -E '^(boto3|botocore|pytest)==' "$package/requirements/newest.txt")
    "$uv" pip install --quiet --python "$build/other/bin/python" "${needed[@]}"
    "$build/other/bin/python" --version
    tests other \
        "$package"/tests/test_{detector,fleet,memory,observe,life,warnings,instrument,unsent,capacity,schemas,undescribed,threads,fork,testing,recording,recorded,closed_minutes,cloudwatch,cloudwatch_sums}.py
done

# A debug build of the library checks what it believes, and overflows.
CARGO_TARGET_DIR=$build/debug cargo rustc --quiet --locked --lib --crate-type cdylib
debug=$build/debug/debug/libhotpart.so
HOTPART_LIBRARY=$debug \
    tests newest "$package"/tests/test_{detector,fleet,memory,observe,life,warnings,threads,fork,instrument,schemas,undescribed,fake,recording,recorded,pydynox,closed_minutes,cloudwatch_sums}.py
HOTPART_LIBRARY=$debug tests aiobotocore "$package/tests/test_aiobotocore.py"

# Types, as a user's checker sees them; for the oldest Python too.
cd "$package"
"$build/tools/bin/ruff" check --quiet
"$build/tools/bin/ruff" format --check --quiet
for version in 3.10 3.14; do
    "$build/newest/bin/mypy" --python-version "$version" --python-executable "$build/newest/bin/python" --cache-dir "$build/mypy"
done
"$build/node_modules/.bin/pyright" --pythonpath "$build/newest/bin/python"
