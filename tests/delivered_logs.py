"""Log objects of a folder by their keys, as they would be put into a bucket one after the other."""

import gzip
import json
from pathlib import Path


def objects_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def delivered_at(key: str) -> str:
    """Tell when an object was delivered, by its name; all others were there from the beginning."""
    name = key.rpartition("/")[2][:15]
    return name if "/data/" not in key and name[:2] == "20" else ""


def without_copies(objects: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out second copies of records, which Athena tells within a query only; oldest first."""
    kept, seen = {}, set()
    for key, content in sorted(objects.items(), key=lambda item: delivered_at(item[0])):
        if delivered_at(key):
            lines = [
                line
                for line in gzip.decompress(content).splitlines(keepends=True)
                if (request := json.loads(line)["requestId"]) not in seen and not seen.add(request)
            ]
            content = gzip.compress(b"".join(lines))
        kept[key] = content
    return kept
