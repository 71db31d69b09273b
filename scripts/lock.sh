#!/usr/bin/env bash
# Pin every dependency, with hashes, for CPython 3.11 to 3.13: pyproject.toml -> requirements*.lock.
# Needs uv (`pip install uv`). Arguments go to uv: `scripts/lock.sh --upgrade`, `scripts/lock.sh --upgrade-package av`.
set -euo pipefail
cd "$(dirname "$0")/.."

# The build backend is pinned too, so that `pip install --no-build-isolation -e .` fetches nothing of its own.
build="$(mktemp)"
trap 'rm -f "$build"' EXIT
printf 'hatchling>=1.27\neditables\n' >"$build"

# One version of a package for every Python (fewest forks): what is tested on one is what runs on the others.
# No index URL and no header: the files say what is installed, not where they were made.
pin() {
    local lock=$1
    shift
    echo "pinning $lock"
    uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-annotate --no-header --no-emit-index-url --no-emit-find-links --output-file "$lock" "$@"
}

# The clients of PostgreSQL, object storage and NATS are in all of them: whoever runs the image can install nothing, and where
# they are not used they are not loaded.
pin requirements-dev.lock pyproject.toml "$build" --extra model --extra postgres --extra s3 --extra cluster --extra dev "$@"
pin requirements.lock pyproject.toml "$build" --extra model --extra postgres --extra s3 --extra cluster --constraint requirements-dev.lock
pin requirements-service.lock pyproject.toml "$build" --extra postgres --extra s3 --extra cluster --constraint requirements-dev.lock
