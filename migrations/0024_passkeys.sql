-- Passkeys (WebAuthn). None of it belongs to one gateway.

CREATE TABLE passkeys (
    id             uuid PRIMARY KEY,
    person_id      uuid NOT NULL REFERENCES people (id),
    name           text NOT NULL CHECK (name <> ''),
    -- The authenticator's own id of it.
    credential_id  bytea NOT NULL UNIQUE,
    -- Public key, counter and flags; no secret.
    credential     jsonb NOT NULL,
    made_at        timestamptz NOT NULL,
    last_used_at   timestamptz,
    -- When the question was asked whose answer was taken last: no answer is taken twice.
    last_asked_at  timestamptz
);

CREATE INDEX passkeys_by_person ON passkeys (person_id, made_at);
