"""What every section of config.yaml is: closed to unknown keys, and never changed once read."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of config.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
