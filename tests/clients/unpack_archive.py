"""Unpacks an archive with Python's own reader, and says of each entry when it was made, how it is kept and who may read it.

Usage: unpack_archive.py ARCHIVE FOLDER
"""

import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None, "an entry is damaged"
    for entry in archive.infolist():
        made = "-".join(str(part) for part in entry.date_time)
        print(entry.filename, made, entry.compress_type, oct(entry.external_attr >> 16))
    archive.extractall(sys.argv[2])
