"""The catalogue: every metric's name, help, type and labels, in one place.

The names are the product's public interface. Help texts say the unit, the scope and the delay.
Today and month are those of the configured time zone. The order of the modules is that of
exposition.
"""

from exporter.metrics.catalogue import CATALOGUE, Family, Metric, Type, Value  # isort: skip
from exporter.metrics.bedrock import *  # isort: skip
from exporter.metrics.limits import *  # isort: skip
from exporter.metrics.assistants import *  # isort: skip
from exporter.metrics.exporter import *  # isort: skip

__all__ = ["CATALOGUE", "Family", "Metric", "Type", "Value"]
