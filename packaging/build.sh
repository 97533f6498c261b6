#!/bin/sh
# A folder that runs without Python: dist/parley, with desktop entry, metainfo and icon beside it.
set -eu
cd "$(dirname "$0")/.."
packaging/setup.sh package
rm -rf build/pyinstaller dist/parley
.venv/bin/python -m PyInstaller --noconfirm --clean --log-level WARN \
    --workpath build/pyinstaller --distpath dist packaging/parley.spec
mkdir -p dist/parley/share/applications dist/parley/share/metainfo dist/parley/share/icons/hicolor/scalable/apps
cp packaging/org.parley.Parley.desktop dist/parley/share/applications/
cp packaging/org.parley.Parley.metainfo.xml dist/parley/share/metainfo/
cp resources/parley.svg dist/parley/share/icons/hicolor/scalable/apps/org.parley.Parley.svg
cp LICENSE dist/parley/
echo "dist/parley: $(du -sm dist/parley | cut -f1) MB"
