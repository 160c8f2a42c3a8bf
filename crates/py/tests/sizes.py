"""Fails where a wheel takes more than 40 MB on disk.

usage: sizes.py DIR
"""

import sys
import zipfile
from pathlib import Path

MOST = 40_000_000

for wheel in sorted(Path(sys.argv[1]).glob("*.whl")):
    size = sum(one.file_size for one in zipfile.ZipFile(wheel).infolist())
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB to download, {size / 1e6:.1f} MB on disk")
    if size > MOST:
        sys.exit(f"{wheel.name}: {size} bytes on disk, expected at most {MOST}")
