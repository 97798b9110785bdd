"""What people do with the AWS side: set it up, check it, look into it, try it in a test account.

The libraries of the commands below `bedrock-exporter aws`; `serve` imports none of them. They stand
above sources and interpretation, which they use as the exporter does.
"""
