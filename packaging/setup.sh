#!/bin/sh
# Makes .venv and installs what a purpose needs: setup.sh run|test|package. Does nothing when all is there.
set -eu
cd "$(dirname "$0")/.."
purpose="${1:-run}"
python="${PYTHON:-python3}"

say() { echo "parley: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
        say "installing system packages:$missing"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086
        if as_root apt-get update -qq && as_root apt-get install -qq -y --no-install-recommends $missing; then return 0; fi
        say "some system packages could not be installed; going on without them"
    else
        say "these system packages are missing, and installing them needs an administrator:"
        say "    sudo apt-get install$missing"
    fi
}

packages_of() { sed -e 's/#.*//' "$@"; }

if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    case "$purpose" in
        test) install_packages $(packages_of packaging/debian-run.txt packaging/debian-test.txt) ;;
        *) install_packages $(packages_of packaging/debian-run.txt) ;;
    esac
else
    say "not a Debian system: “parley doctor” names system libraries that are missing"
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or newer is needed; set PYTHON to one"
    exit 2
}
if [ ! -x .venv/bin/python ]; then
    if ! "$python" -m venv .venv 2>/dev/null; then
        rm -rf .venv
        command -v apt-get >/dev/null 2>&1 && install_packages python3-venv
        "$python" -m venv .venv
    fi
fi

case "$purpose" in
    test) extras="audio,speed,test,lint" ;;
    package) extras="audio,speed,package" ;;
    *) extras="audio,speed" ;;
esac
stamp=".venv/.installed-$purpose"
if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    say "installing Python packages into .venv (once; a few minutes)"
    .venv/bin/python -m pip install -q --disable-pip-version-check -e ".[$extras]"
    touch "$stamp"
fi
