-- The register of credentials: what has to be changed now and then, and when that was done. Never a value.

CREATE TABLE credentials (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL CHECK (
        kind IN (
            'gateway-key', 'whatsapp-session', 'panel-device', 'github-token', 'database-password', 'backup-key',
            'tls-certificate', 'other'
        )
    ),
    gateway_id    text,
    title         text NOT NULL CHECK (title <> ''),
    place         text NOT NULL,
    owner         text NOT NULL,
    interval_days integer CHECK (interval_days BETWEEN 1 AND 3650),
    -- How it is changed, in Markdown.
    procedure     text NOT NULL,
    added_at      timestamptz NOT NULL,
    snoozed_until timestamptz,
    snoozed_why   text,
    snoozed_by    jsonb,
    retired_at    timestamptz,
    CHECK ((snoozed_until IS NULL) = (snoozed_why IS NULL)),
    CHECK ((snoozed_until IS NULL) = (snoozed_by IS NULL))
);

-- What the panel knows by itself is listed once.
CREATE UNIQUE INDEX one_credential_of_a_kind ON credentials (kind, coalesce(gateway_id, ''))
WHERE kind <> 'other';

CREATE TABLE rotations (
    id            uuid PRIMARY KEY,
    credential_id uuid NOT NULL REFERENCES credentials (id),
    at            timestamptz NOT NULL,
    -- As they were at that moment.
    rotated_by    jsonb NOT NULL,
    cause         text NOT NULL CHECK (cause IN ('scheduled', 'person-left', 'leak')),
    -- The operation that did it; NULL when it was done elsewhere.
    operation_id  uuid REFERENCES operations (id),
    -- The first digits of a keyed hash: tells versions apart and nothing else.
    fingerprint   text CHECK (fingerprint ~ '^[0-9a-fA-F]{12}$'),
    note          text
);

-- The same operation noted twice is one rotation.
CREATE UNIQUE INDEX one_rotation_per_operation ON rotations (credential_id, operation_id)
WHERE operation_id IS NOT NULL;

CREATE INDEX rotations_by_credential ON rotations (credential_id, at DESC, id DESC);

-- Each reminder is given once, whatever is restarted and however many panels there are.
CREATE TABLE credential_reminders (
    credential_id uuid NOT NULL REFERENCES credentials (id),
    -- The date that it was about: another date is reminded of anew.
    due_at        timestamptz NOT NULL,
    stage         text NOT NULL CHECK (stage IN ('30-days', '14-days', '7-days', '1-day', 'overdue')),
    given_at      timestamptz NOT NULL,
    mailed_to     text,
    -- Why the mail did not go out.
    failed        text,
    PRIMARY KEY (credential_id, due_at, stage),
    CHECK (mailed_to IS NULL OR failed IS NULL)
);

-- Secret links to the calendar of the register, one a person.
CREATE TABLE calendar_links (
    person_id  uuid PRIMARY KEY REFERENCES people (id),
    -- SHA-256 of what stands in the link: whoever reads this table can open nothing.
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    made_at    timestamptz NOT NULL,
    used_at    timestamptz
);
