# Sourced: makes an environment of requirements/tools.txt, and says where its programs are.
tools=$PWD/build/python/tools/bin
[[ -x $tools/pip ]] || python3 -m venv "${tools%/bin}"
"$tools/pip" install --quiet --disable-pip-version-check -r bindings/python/requirements/tools.txt
