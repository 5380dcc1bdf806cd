#!/usr/bin/env bash
# Proves that watched clients change nothing, by what others test: the suites of moto, PynamoDB, pynamodb-async and aiobotocore,
# as far as they are for DynamoDB, of the sdists of the versions in requirements/suites.txt. Each runs twice as it is, then with
# every client watched, for operations and for capacity. It is a failure if a test ends otherwise, or its client is answered
# otherwise, or the detector counts nothing. Tests that don't go alike even without hooks are named and left out. All is put
# under build/suites.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/need.sh
need python3 npm cargo cc || exit 0

package=bindings/python
requirements=$PWD/$package/requirements/suites.txt
build=$PWD/build/suites
source ci/emulators.sh

mkdir -p "$build/sdists"
[[ -x $build/env/bin/python ]] || "$uv" venv --quiet --python "$(command -v python3)" "$build/env"
rm -rf "$build/dist"
"$uv" build --quiet --out-dir "$build/dist" "$package" --wheel
"$uv" pip sync --quiet --python "$build/env/bin/python" "$requirements"
"$uv" pip install --quiet --python "$build/env/bin/python" --no-deps "$build"/dist/*.whl

# unpacked NAME: says where the sdist of a library is unpacked anew, of the version that is installed.
unpacked() {
    local pinned sdist
    pinned=$(grep "^$1==" "$requirements")
    sdist=$build/sdists/${1//-/_}-${pinned#*==}
    [[ -f $sdist.tar.gz ]] ||
        "$tools/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$build/sdists" \
            "$pinned" >&2
    rm -rf "$sdist"
    tar -xzf "$sdist.tar.gz" -C "$build/sdists"
    echo "$sdist"
}

# None of the machine's own, and no look for any elsewhere.
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export PYTHONPATH=$PWD/$package/tests/suites

emulator=
trap '[[ -z $emulator ]] || kill "$emulator"' EXIT

# run REPORT ARGUMENT...: one run of a suite in the current folder, beside an emulator of its own.
run() {
    local report=$1 port ended=0
    shift
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$DYNOXIDE" serve --host 127.0.0.1 --port "$port" >"$report.emulator" 2>&1 &
    emulator=$!
    # Where pynamodb-async looks for DynamoDB.
    export PYNAMODB_INTEGRATION_TEST_DDB_URL=http://127.0.0.1:$port
    SUITE_SEEN=$report.json timeout --kill-after 10 1200 "$build/env/bin/python" -m pytest --quiet --color=no \
        -o cache_dir="$build/cache" -p watching --junitxml "$report.xml" "$@" >"$report.log" 2>&1 || ended=$?
    kill "$emulator"
    wait "$emulator" || true
    emulator=
    # That a test failed says the report.
    if ((ended > 1)); then
        tail -n 40 "$report.log" >&2
        echo "failed: pytest ended with $ended: $report.log" >&2
        return 1
    fi
}

failed=false

# suite NAME ARGUMENT...: the runs of a suite in the current folder, compared.
suite() {
    local name=$1 reports=$build/reports/$1
    shift
    rm -rf "$reports"
    mkdir -p "$reports"
    run "$reports/plain" "$@"
    run "$reports/again" "$@"
    for mode in operations capacity; do
        SUITE_MODE=$mode run "$reports/$mode" "$@"
    done
    "$build/env/bin/python" "$PYTHONPATH/compare.py" "$name" "$reports" || failed=true
}

moto=$(unpacked moto)
pynamodb=$(unpacked pynamodb)
pynamodb_async=$(unpacked pynamodb-async)
aiobotocore=$(unpacked aiobotocore)

cd "$moto"
suite moto tests/test_dynamodb

# PynamoDB's sdist lacks three modules that its tests import. pynamodb-async, which is made from PynamoDB's source, has them.
# Most of these tests put an answer in botocore's place, so that few requests are made; pynamodb-async's make more.
cp "$pynamodb_async"/tests/{__init__,data,deep_eq,response}.py "$pynamodb/tests/"
cd "$pynamodb"
suite pynamodb tests

# PynamoDB's models over aiobotocore, with its tests of a real DynamoDB. pytest would not find those in files of another name.
cd "$pynamodb_async"
suite pynamodb-async tests tests/integration/*_test.py

cd "$aiobotocore"
suite aiobotocore -m 'not localonly' --http-backend=all tests/test_dynamodb.py tests/botocore_tests/functional/test_retry.py

[[ $failed == false ]]
