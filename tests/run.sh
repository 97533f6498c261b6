#!/bin/sh
# All tests: first those that can share the machine, then those that measure or drive whole programs, one at a time.
set -eu
cd "$(dirname "$0")/.."
packaging/setup.sh test
mkdir -p out
export PARLEY_SEED_PROOF="out/seed-proof.json"
rm -f "$PARLEY_SEED_PROOF"
pytest=".venv/bin/python -m pytest -q -p no:cacheprovider"
code=0
$pytest -n 2 --dist loadfile tests --ignore tests/e2e --ignore tests/interop --ignore tests/bench "$@" || code=$?
# A process for each file: what one leaves behind cannot slow down the measurements of the next.
for file in tests/e2e/test_*.py $(find tests/interop -name 'test_*.py' | sort); do
    $pytest "$file" "$@" || code=$?
done
exit "$code"
