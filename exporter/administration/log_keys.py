"""Which objects a source reads, as the keys that IAM policies name.

    {bucket}/{prefix}AWSLogs/*/{folder}/*

Pure. What a source does not read stays closed to it: daily reports come without the prompts that
lie beside them.
"""

from collections.abc import Collection, Iterator

from exporter.config import Source
from exporter.sources.log_layout import LAYOUTS


def split_location(location: str) -> tuple[str, str]:
    """Return the bucket of a location and the prefix in it, which ends in a slash or is empty."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def keys_read(sources: Collection[Source]) -> set[str]:
    """Return what sources in S3 read, as bucket/key with * in it; none that another includes."""
    keys = {key for source in sources for key in _keys(source)}
    return {
        key
        for key in keys
        if not any(key != other and key.startswith(other.removesuffix("*")) for other in keys)
    }


def _keys(source: Source) -> Iterator[str]:
    bucket, prefix = split_location(source.location)
    layout = LAYOUTS[source.type]
    for folder in (*layout.folders, *layout.services):
        yield f"{bucket}/{prefix}AWSLogs/*/{folder}/*"
