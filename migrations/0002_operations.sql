-- Operations, their journal and the panels that run them.

CREATE TABLE runners (
    id       uuid PRIMARY KEY,
    -- By the database's clock: several panels on several hosts compare it.
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE operations (
    id              uuid PRIMARY KEY,
    gateway_id      text NOT NULL,
    name            text NOT NULL,
    command         jsonb NOT NULL,
    asked_by        jsonb NOT NULL,
    actor_key       text NOT NULL,
    idempotency_key text NOT NULL,
    reason          text,
    steps           jsonb NOT NULL,
    usually_ms      bigint,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    -- The word, for indexes and filters; the whole outcome stands beside it.
    outcome         text CHECK (
        outcome IN ('succeeded', 'undone', 'cancelled', 'failed', 'stuck', 'abandoned')
    ),
    outcome_detail  jsonb,
    runner_id       uuid NOT NULL REFERENCES runners (id),
    -- Counts adoptions; a write that carries an older one is refused.
    generation      integer NOT NULL,
    last_sequence   bigint NOT NULL DEFAULT 0,
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK ((outcome IS NULL) = (outcome_detail IS NULL)),
    -- The same form sent twice is the same operation.
    UNIQUE (actor_key, idempotency_key)
);

-- This index IS the gateway's lock: a second open operation cannot be inserted, and the update that
-- ends one frees it. A stuck one keeps it until a person has looked.
CREATE UNIQUE INDEX one_open_operation_per_gateway ON operations (gateway_id)
WHERE ended_at IS NULL OR outcome = 'stuck';

CREATE INDEX operations_by_gateway ON operations (gateway_id, id DESC);
CREATE INDEX operations_by_runner ON operations (runner_id);

CREATE TABLE operation_events (
    operation_id uuid NOT NULL REFERENCES operations (id),
    sequence     bigint NOT NULL,
    gateway_id   text NOT NULL,
    generation   integer NOT NULL,
    at           timestamptz NOT NULL,
    event        jsonb NOT NULL,
    PRIMARY KEY (operation_id, sequence)
);
