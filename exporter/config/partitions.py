"""The partitions of AWS: clouds apart, each with regions, accounts and ARNs of its own."""

_STARTS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""Of the names of regions; all others are of the partition `aws`."""


def partition_of(region: str) -> str:
    """Return the partition of a region, as its ARNs begin: arn:aws-us-gov:."""
    return next((name for start, name in _STARTS.items() if region.startswith(start)), "aws")
