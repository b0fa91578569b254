-- One-time links by which people choose their password: invited, with the old password taken away, or as the first admin.

CREATE TABLE invitations (
    id         uuid PRIMARY KEY,
    -- NULL: whoever opens it is the first admin, under a name of their own.
    person_id  uuid REFERENCES people (id),
    -- SHA-256 of the token in the link.
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- The newest link alone opens.
CREATE UNIQUE INDEX invitations_open ON invitations (coalesce(person_id, '00000000-0000-0000-0000-000000000000'))
WHERE used_at IS NULL;

-- The empty hash fits no password: whoever was invited has none yet.
ALTER TABLE people ADD COLUMN invited_until timestamptz;
