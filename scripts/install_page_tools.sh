#!/usr/bin/env bash
# scripts/install_page_tools.sh STAMP: install into node_modules what package-lock.json names, which checks the page's types
# and format, and leave STAMP. Node.js and npm are installed first where that is possible: as root on Debian and Ubuntu.
# Elsewhere say what is left out for want of them, and leave no STAMP; under CI=true that is an error.
set -euo pipefail

stamp=$1
rm -f "$stamp"

# Debian's npm is a package of its own; and a Node.js may be there that is too old.
usable() {
    command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

apt_install() {
    echo "sightline: installing to check the page: nodejs npm"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 nodejs npm
}

if ! usable && [[ $EUID == 0 ]] && command -v apt-get >/dev/null; then
    apt_install </dev/null || echo "sightline: apt-get failed" >&2
fi

if ! usable; then
    if [[ ${CI:-} == true ]]; then
        echo "sightline: missing under CI=true: Node.js 18 or newer with npm (the page's types and format)" >&2
        exit 1
    fi
    echo "sightline: Node.js 18 or newer with npm is missing, so the page's types and format (tsc, prettier) are not checked." \
        "On Debian and Ubuntu: apt-get install nodejs npm"
    exit 0
fi

npm ci --no-progress --loglevel=error </dev/null
touch "$stamp"
