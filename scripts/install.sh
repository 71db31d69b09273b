#!/usr/bin/env bash
# scripts/install.sh VENV LOCK: create VENV unless it is there, and install LOCK and Sightline itself (editable) into it.
# Nothing but a CPython 3.11 to 3.13 with venv is needed; nothing but the package index is asked.
set -euo pipefail

venv=$1 lock=$2

say() { echo "sightline: $*"; }
fail() {
    echo "sightline: $*" >&2
    exit 2
}

# Prints "yes" for a usable Python, "no venv" for one without the venv module's ensurepip, and fails for any other. Running
# it is the test: a pyenv shim of a version that is not active is found on PATH and does not run.
examine() {
    "$1" - 2>/dev/null <<'PYTHON'
import importlib.util, sys
if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= (3, 13):
    raise SystemExit(1)
print("yes" if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip") else "no venv")
PYTHON
}

choose_python() {
    local candidate answer without_venv=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        answer=$(examine "$candidate") || continue
        if [[ $answer == yes ]]; then
            echo "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [[ -n $without_venv ]]; then
        fail "$without_venv has no venv module; on Debian and Ubuntu: apt-get install" \
            "$("$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    fail "no CPython 3.11, 3.12 or 3.13 found among: ${PYTHON:-python3.13 python3.12 python3.11 python3}." \
        "Install one, or name it: make install PYTHON=/path/to/python3.12"
}

# An environment that was there, or that an interrupted call left behind, is used as far as it goes.
if [[ $(examine "$venv/bin/python") != yes ]] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(choose_python)
    say "creating $venv with $("$python" --version) ($python)"
    "$python" -m venv --clear "$venv"
fi

pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input)
# Bytecode is left to the first import: of TensorFlow's 12,000 files Sightline imports a quarter.
install=("${pip[@]}" install --no-compile --require-hashes --no-deps --requirement "$lock")
started=$SECONDS

say "installing $(grep -c == "$lock") packages from $lock; the first time this downloads about 800 MB"
# pip is silent while it unpacks, which for TensorFlow takes a minute or two.
while sleep 15; do
    say "still installing after $((SECONDS - started)) s, $(du -sh "$venv" 2>/dev/null | cut -f1) so far"
done &
trap 'kill $! 2>/dev/null' EXIT

if [[ -t 1 ]]; then
    "${install[@]}"
else
    # In a log, what is there already is no news.
    "${install[@]}" | { grep --line-buffered -v '^Requirement already satisfied' || true; }
fi
"${pip[@]}" install --quiet --no-deps --no-build-isolation --editable .
# Bytecode of just what is imported, written now even where the environment forbids it to later runs: without it the
# service starts in twice the time, and TensorFlow in three times.
say "compiling what the service and the model server import"
env -u PYTHONDONTWRITEBYTECODE "$venv/bin/python" -c "import streamer.app"
if grep -q '^tensorflow==' "$lock"; then
    env -u PYTHONDONTWRITEBYTECODE "$venv/bin/python" -c \
        "from serving.banners import import_tensorflow; import_tensorflow(); import serving.server, sightline_export.exporter"
fi
say "installed in $((SECONDS - started)) s"
