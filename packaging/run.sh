#!/bin/sh
# A local meeting with three synthetic participants, in a window; without a display, the same offscreen.
set -eu
cd "$(dirname "$0")/.."
packaging/setup.sh run
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" = Darwin ]; then
    exec .venv/bin/python -m app demo "$@"
fi
mkdir -p out
echo "There is no display here, so the demo runs offscreen for 20 seconds."
code=0
QT_QPA_PLATFORM=offscreen .venv/bin/python -m app demo \
    --duration 20 --report out/report.json --screenshot out/screenshot.png "$@" || code=$?
if [ "$code" = 0 ]; then echo "See out/report.json and out/screenshot.png."; fi
exit "$code"
