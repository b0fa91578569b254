-- Rotations of gateways' keys: what is left to do once the new key is proved, and who uses the key. No key is here, and
-- nothing that a key could be guessed from.

CREATE TABLE key_rotations (
    operation_id uuid PRIMARY KEY REFERENCES operations (id),
    gateway_id   text NOT NULL,
    -- 12 hexadecimal digits of a hash under a key that the panel keeps elsewhere.
    fingerprint  text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{12}$'),
    cause        text NOT NULL CHECK (cause IN ('scheduled', 'person-left', 'leak')),
    at           timestamptz NOT NULL,
    -- The key is shown once.
    revealed_at  timestamptz,
    revealed_by  text,
    CHECK ((revealed_at IS NULL) = (revealed_by IS NULL))
);

CREATE INDEX key_rotations_by_gateway ON key_rotations (gateway_id, at);

CREATE TABLE key_tasks (
    operation_id uuid NOT NULL REFERENCES key_rotations (operation_id),
    -- secret, workstation, log, consumer-<id>
    task         text NOT NULL,
    at           timestamptz NOT NULL,
    by_name      text NOT NULL,
    note         text,
    PRIMARY KEY (operation_id, task)
);

CREATE TABLE key_consumers (
    id         uuid PRIMARY KEY,
    gateway_id text NOT NULL,
    name       text NOT NULL,
    owner      text NOT NULL,
    how        text NOT NULL,
    seen_as    text NOT NULL,
    added_at   timestamptz NOT NULL,
    removed_at timestamptz
);

CREATE INDEX key_consumers_by_gateway ON key_consumers (gateway_id) WHERE removed_at IS NULL;
