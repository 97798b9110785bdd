"""Model Invocation Logging and the prompt logging of Amazon Q Developer, region by region.

Bedrock delivers only into a bucket of the same account and the same region (Bedrock User Guide),
so each region has a bucket of its own. Nothing here is imported by `serve`.
"""
