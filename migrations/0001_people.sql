-- People who sign in, their throttling and their sessions. None of them belongs to one gateway.

CREATE TABLE people (
    id                   uuid PRIMARY KEY,
    name                 text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9._-]{2,40}$'),
    role                 text NOT NULL CHECK (role IN ('admin', 'operator', 'manager', 'viewer')),
    -- PHC string of argon2id; never leaves the store adapter.
    password_hash        text NOT NULL,
    password_is_one_time boolean NOT NULL,
    disabled_at          timestamptz,
    -- Sessions carry the epoch they were made in; a higher one here ends them.
    session_epoch        bigint NOT NULL DEFAULT 1,
    last_seen_at         timestamptz,
    created_at           timestamptz NOT NULL
);

-- Failed sign-ins. The subject is hashed: people type passwords into the name field.
CREATE TABLE sign_in_throttles (
    kind          text NOT NULL CHECK (kind IN ('name', 'address')),
    subject       bytea NOT NULL,
    failures      integer NOT NULL,
    turned_away   integer NOT NULL DEFAULT 0,
    last_tried_at timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (kind, subject)
);

CREATE INDEX sign_in_throttles_by_age ON sign_in_throttles (last_tried_at);

-- The shape that tower-sessions-sqlx-store expects.
CREATE TABLE tower_sessions (
    id          text PRIMARY KEY,
    data        bytea NOT NULL,
    expiry_date timestamptz NOT NULL
);

CREATE INDEX tower_sessions_by_expiry ON tower_sessions (expiry_date);
