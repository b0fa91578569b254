-- What people prove besides their password. None of it belongs to one gateway.

CREATE TABLE authenticators (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id),
    -- The secret that the authenticator shares (RFC 6238), sealed under a key that is not in the database.
    sealed       bytea NOT NULL,
    -- Which key that was.
    key_id       bytea NOT NULL CHECK (length(key_id) = 8),
    begun_at     timestamptz NOT NULL,
    -- In use since; NULL until its first code was typed.
    confirmed_at timestamptz,
    -- The step of the last code that was taken: no code is taken twice.
    last_step    bigint
);

-- One in use, and one that is being set up.
CREATE UNIQUE INDEX authenticators_in_use ON authenticators (person_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX authenticators_begun ON authenticators (person_id) WHERE confirmed_at IS NULL;

-- As hashes: each has 74 bits of chance.
CREATE TABLE recovery_codes (
    person_id uuid NOT NULL REFERENCES people (id),
    digest    bytea NOT NULL CHECK (length(digest) = 32),
    used_at   timestamptz,
    PRIMARY KEY (person_id, digest)
);
