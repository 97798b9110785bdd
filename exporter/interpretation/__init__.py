"""What the facts of the ledger mean: pure functions, no clock, no disk, no network."""
