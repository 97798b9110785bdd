"""The tables of the ledger and the steps from each version to the next.

A step is never changed once released: `PRAGMA user_version` counts the steps that a file has
taken.
"""

APPLICATION_ID = 0x42454458
"""Marks an SQLite file as a ledger ("BEDX")."""

MIGRATIONS = (
    # Version 1
    """
    CREATE TABLE fact (
        id INTEGER PRIMARY KEY,
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        inference_region TEXT NOT NULL,
        principal TEXT NOT NULL,
        model_id TEXT NOT NULL,
        context_from INTEGER NOT NULL,
        service_tier TEXT NOT NULL,
        outcome TEXT NOT NULL,
        metadata TEXT NOT NULL,  -- a JSON array of pairs, sorted by key
        UNIQUE (account_id, region, inference_region, principal, model_id, context_from,
                service_tier, outcome, metadata)
    ) STRICT;

    -- slot: UTC quarter-hours since the epoch
    CREATE TABLE usage (
        slot INTEGER NOT NULL,
        fact INTEGER NOT NULL REFERENCES fact,
        requests INTEGER NOT NULL,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write_5m INTEGER NOT NULL,
        cache_write_1h INTEGER NOT NULL,
        cache_write_unsplit INTEGER NOT NULL,
        PRIMARY KEY (slot, fact)
    ) STRICT, WITHOUT ROWID;

    -- What was read; hour: UTC hours since the epoch, of the object's path
    CREATE TABLE log_object (
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        hour INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account_id, region, hour, name)
    ) STRICT, WITHOUT ROWID;

    -- Records of the last days, so that one delivered again is recognised
    CREATE TABLE request (
        slot INTEGER NOT NULL,
        digest INTEGER NOT NULL,
        PRIMARY KEY (slot, digest)
    ) STRICT, WITHOUT ROWID;

    -- Moments: seconds since the epoch
    CREATE TABLE progress (
        location TEXT NOT NULL,
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        listed_at INTEGER NOT NULL,
        filled_to INTEGER NOT NULL,
        fill_from INTEGER NOT NULL,
        PRIMARY KEY (location, account_id, region)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE newest_record (
        source TEXT NOT NULL,
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        timestamp INTEGER NOT NULL,
        PRIMARY KEY (source, account_id, region)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE aws_request (
        day TEXT NOT NULL,
        service TEXT NOT NULL,
        operation TEXT NOT NULL,
        requests INTEGER NOT NULL,
        PRIMARY KEY (day, service, operation)
    ) STRICT, WITHOUT ROWID;

    -- Users that had series of their own in a month (of the configured time zone)
    CREATE TABLE exposed_user (
        month TEXT NOT NULL,
        user TEXT NOT NULL,
        PRIMARY KEY (month, user)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE note (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    # Version 2
    """
    -- What queries of Athena scanned on a UTC day
    CREATE TABLE athena_scan (
        day TEXT NOT NULL,
        source TEXT NOT NULL,
        queries INTEGER NOT NULL,
        scanned_bytes INTEGER NOT NULL,
        billed_bytes INTEGER NOT NULL,
        PRIMARY KEY (day, source)
    ) STRICT, WITHOUT ROWID;

    -- What AWS said of a name that the logs leave open; "values": a JSON array of pairs,
    -- looked_up_at: seconds since the epoch
    CREATE TABLE lookup (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        "values" TEXT NOT NULL,
        looked_up_at INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;
    """,
    # Version 3
    """
    CREATE TABLE asker (
        id INTEGER PRIMARY KEY,
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        product TEXT NOT NULL,
        user TEXT NOT NULL,
        request_kind TEXT NOT NULL,
        UNIQUE (account_id, region, product, user, request_kind)
    ) STRICT;

    -- input, output, largest: tokens; largest: of the requests without a conversation
    CREATE TABLE prompt_usage (
        slot INTEGER NOT NULL,
        asker INTEGER NOT NULL REFERENCES asker,
        requests INTEGER NOT NULL,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        largest INTEGER NOT NULL,
        PRIMARY KEY (slot, asker)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE conversation (
        asker INTEGER NOT NULL REFERENCES asker,
        digest INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        tokens INTEGER NOT NULL,
        PRIMARY KEY (asker, digest, slot)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX conversation_slot ON conversation (slot);

    -- hour: UTC hours since the epoch, of the object's path; folder: of its name
    CREATE TABLE report (
        id INTEGER PRIMARY KEY,
        account_id TEXT NOT NULL,
        region TEXT NOT NULL,
        hour INTEGER NOT NULL,
        folder TEXT NOT NULL,
        series TEXT NOT NULL,
        stamp TEXT NOT NULL,
        part TEXT NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (account_id, region, hour, folder, name)
    ) STRICT;

    -- day: UTC days since the epoch; subject: what of a line is one with the user it speaks of;
    -- line: JSON, all of it
    CREATE TABLE report_line (
        day INTEGER NOT NULL,
        kind TEXT NOT NULL,
        user TEXT NOT NULL,
        subject TEXT NOT NULL,
        report INTEGER NOT NULL REFERENCES report,
        line TEXT NOT NULL,
        PRIMARY KEY (day, kind, user, subject, report)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX report_line_report ON report_line (report);
    """,
)
