"""Sessions, retries and the meter of what calls to AWS cost."""
