"""The commands below `bedrock-exporter aws`: flags and what is printed; no logic of their own.

Each imports what it needs when it runs.
"""

import click

from exporter.aws_commands.check import check
from exporter.aws_commands.inspect import inspect
from exporter.aws_commands.logging import logging
from exporter.aws_commands.permissions import permissions
from exporter.aws_commands.setup import setup
from exporter.aws_commands.testbed import testbed


@click.group()
def aws() -> None:
    """Set up and check the AWS side."""


for command in (setup, logging, check, permissions, inspect, testbed):
    aws.add_command(command)
