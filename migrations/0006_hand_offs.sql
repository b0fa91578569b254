-- One-time links that show the code of one operation to somebody who is not signed in.

CREATE TABLE hand_offs (
    id           uuid PRIMARY KEY,
    operation_id uuid NOT NULL REFERENCES operations (id),
    -- SHA-256 of what stands in the link: whoever reads this table can open nothing.
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    made_by      jsonb NOT NULL,
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    opened_at    timestamptz,
    -- Where it was opened: address and browser.
    opened_from  text,
    -- SHA-256 of the cookie of the one device that opened it.
    device_hash  bytea UNIQUE CHECK (length(device_hash) = 32),
    revoked_at   timestamptz,
    CHECK ((opened_at IS NULL) = (device_hash IS NULL))
);

CREATE INDEX hand_offs_by_operation ON hand_offs (operation_id, id);
