"""How much was written: the simulation's own account of it, to hold figures against."""

from typing import NamedTuple


class Written(NamedTuple):
    """What was written."""

    objects: int = 0
    """Bedrock's log objects; those under data/ are not among them."""
    side_objects: int = 0
    records: int = 0
    """Distinct ones, of calls of Bedrock; likewise all that follow up to the tokens."""
    duplicates: int = 0
    """Further copies of records, in the same object or in another."""
    errors: int = 0
    """Records with an errorCode."""
    input_tokens: int = 0
    """This and the following: of the distinct records without an errorCode."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    prompt_objects: int = 0
    """Objects of developer assistants' prompt logs."""
    prompts: int = 0
    """Records in them; Kiro's router turns are not among them."""
    router_turns: int = 0
    reports: int = 0
    """Reports of activity and of credits, one an account, region, day and client."""

    def plus(self, other: "Written") -> "Written":
        """Add field by field."""
        return Written(*map(int.__add__, self, other))
