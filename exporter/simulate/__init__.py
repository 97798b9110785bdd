"""Realistic Model Invocation Logs in AWS's own layout, for trying the exporter without AWS.

The way of the data: `workloads` says who calls what, `calls` when, `bodies` and `records` how
Bedrock would log it, `delivery` puts it into log objects, `timeline` keeps what was written so far.
Everything follows from the seed. It knows nothing of how the exporter reads logs, and writes
nothing into a folder whose logs it did not make.
"""

from exporter.simulate.bodies import CANARY
from exporter.simulate.delivery import Written
from exporter.simulate.timeline import SimulateError, live, run, simulate

__all__ = ["CANARY", "SimulateError", "Written", "live", "run", "simulate"]
