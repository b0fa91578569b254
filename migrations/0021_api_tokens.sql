-- Tokens by which programs act for a person. None of it belongs to one gateway alone.

CREATE TABLE api_tokens (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id),
    name         text NOT NULL CHECK (name <> ''),
    -- The most that it may do; less when the person may less.
    role         text NOT NULL CHECK (role IN ('admin', 'operator', 'manager', 'viewer')),
    -- NULL: every gateway.
    gateway_id   text,
    -- SHA-256 of the token.
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

CREATE INDEX api_tokens_by_person ON api_tokens (person_id, made_at);
