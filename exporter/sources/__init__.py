"""From the outside world to batches, one file a source."""
