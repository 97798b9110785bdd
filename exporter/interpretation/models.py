"""Model ids as callers give them, resolved to the foundation model and its routing."""

from enum import StrEnum


class Routing(StrEnum):
    """Where a call may be served, which decides its price."""

    IN_REGION = "in_region"
    GEO = "geo"
    GLOBAL = "global"
