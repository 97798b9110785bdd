"""Test roles in AWS and a few real, paid calls of Bedrock through them, for test accounts only.

`create` makes the roles, `invoke` calls through them, `cleanup` removes what was made. What an
exporter then shows can be held against what the calls were answered. Nothing that serves metrics
imports this.
"""
