"""How an object is put into the folder: complete under its name, and never written again."""

from pathlib import Path


def write_object(path: Path, content: bytes) -> None:
    """Write an object, with the folders above it; one that exists stays as it is."""
    if path.exists():
        return
    # No reader of log objects takes a name that begins so for one of theirs.
    unfinished = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(content)
    unfinished.replace(path)
