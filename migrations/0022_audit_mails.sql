-- Mails about the audit trail, each sent once however many panels there are.

-- The report of a month.
CREATE TABLE report_mails (
    -- 2026-10
    month     text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    recipient text NOT NULL,
    tried_at  timestamptz NOT NULL,
    sent_at   timestamptz,
    -- Why the last try failed.
    failed    text,
    PRIMARY KEY (month, recipient)
);

-- How far marked acts have been told to somebody: everything up to this event.
CREATE TABLE audit_alerts (
    recipient  text PRIMARY KEY,
    alerted_to bigint NOT NULL,
    tried_at   timestamptz NOT NULL,
    -- Why the last try failed.
    failed     text
);
