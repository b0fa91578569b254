-- Where people are signed in, for them to see and to end. The cookie's own session is in tower_sessions; its id changes,
-- this one stays from the sign-in to the end.

CREATE TABLE person_sessions (
    id        uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people (id),
    -- The session_epoch that it lives in: it ends with it.
    epoch     bigint NOT NULL,
    begun_at  timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    ended_at  timestamptz,
    address   text,
    browser   text,
    -- SHA-256 of what the browser keeps to be known again.
    device    bytea NOT NULL CHECK (length(device) = 32),
    -- The first sign-in of this person with that browser, until they say that it was them.
    is_new    boolean NOT NULL
);

CREATE INDEX person_sessions_by_person ON person_sessions (person_id, begun_at);
