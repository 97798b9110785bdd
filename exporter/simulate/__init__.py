"""Realistic logs in AWS's own layout, for trying the exporter without AWS.

Of Bedrock: `workloads` says who calls what, `calls` when, `bodies` and `records` how Bedrock would
log it, `delivery` puts it into log objects. Of developer assistants likewise: `developers`,
`prompts`, `prompt_texts` and `prompt_records`, and `assistants`, with `activity_report` and
`kiro_report` for what comes of a day. `timeline` keeps what was written so far. Everything follows
from the seed. It knows nothing of how the exporter reads logs, and writes nothing into a folder
whose logs it did not make.
"""

from exporter.simulate.bodies import CANARY
from exporter.simulate.timeline import SimulateError, live, run, simulate
from exporter.simulate.written import Written

__all__ = ["CANARY", "SimulateError", "Written", "live", "run", "simulate"]
