# Sourced: makes what the tests of the language packages run against, emulators of DynamoDB on loopback, and says where it is.
# All is put under build/python.
emulated=$PWD/build/python
mkdir -p "$emulated"
export UV_LINK_MODE=copy PYTHONDONTWRITEBYTECODE=1
source ci/tools.sh
uv=$tools/uv

# environment NAME: makes an environment of Python of requirements/NAME.txt, which it was locked to.
environment() {
    [[ -x $emulated/$1/bin/python ]] || "$uv" venv --quiet --python "$(command -v python3)" "$emulated/$1"
    "$uv" pip sync --quiet --python "$emulated/$1/bin/python" "bindings/python/requirements/$1.txt"
}

cp bindings/python/tests/package.json bindings/python/tests/package-lock.json "$emulated/"
npm ci --prefix "$emulated" --silent --no-audit --no-fund
# Unoptimised and without what a debugger needs: it is built far sooner, and fast enough.
CARGO_PROFILE_DEV_DEBUG=none cargo install --quiet --locked --debug --root "$emulated" --target-dir "$emulated/target" \
    --no-default-features --features native-sqlite,http-server,cli dynoxide-rs --version 3.2.0
environment newest
export DYNALITE=$emulated/node_modules/.bin/dynalite DYNOXIDE=$emulated/bin/dynoxide MOTO_PYTHON=$emulated/newest/bin/python
