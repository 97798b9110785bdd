"""A Prometheus exporter for Amazon Bedrock usage, cost and limits."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("bedrock-exporter")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
