"""Which bodies Model Invocation Logging writes, and what each is to the figures."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Modality:
    """A kind of data that is logged or not."""

    name: str
    by_default: bool
    meaning: str
    """What it is to the figures."""

    @property
    def key(self) -> str:
        """Return its name in Bedrock's configuration."""
        return f"{self.name}DataDeliveryEnabled"


MODALITIES = (
    Modality(
        "text",
        True,
        "not needed for token counts, which stand in the record itself; without them the figures "
        "lack the lifetime of cache writes, the service tier and latency-optimised calls",
    ),
    Modality("embedding", True, "needed for the calls of embedding models"),
    Modality("image", False, "needed only to see calls of models that know nothing but images"),
    Modality("video", False, "needed only to see calls of models that know nothing but video"),
    Modality("audio", False, "needed only to see calls of models that know nothing but audio"),
)


def chosen(current: dict[str, Any], wishes: dict[str, bool | None]) -> dict[str, bool]:
    """Return the flags of a configuration: as wished, else as they are, else the default."""
    return {
        modality.key: _first(
            wishes.get(modality.name), current.get(modality.key), modality.by_default
        )
        for modality in MODALITIES
    }


def _first(*values: bool | None) -> bool:
    return next(bool(value) for value in values if value is not None)
