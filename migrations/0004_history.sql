-- What was: changes of facts, and probe samples in three grains. A sample is in exactly one of them.

CREATE TABLE transitions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id   text NOT NULL,
    fact         text NOT NULL,
    from_state   text CHECK (from_state IN ('ok', 'warn', 'down', 'unknown')),
    to_state     text NOT NULL CHECK (to_state IN ('ok', 'warn', 'down', 'unknown')),
    headline     text NOT NULL,
    reason       text NOT NULL,
    at           timestamptz NOT NULL,
    -- The operation that caused it: such a change was planned and alerts nobody.
    operation_id uuid REFERENCES operations (id),
    planned_by   text
);

CREATE INDEX transitions_by_fact ON transitions (gateway_id, fact, at, id);

-- For 48 hours.
CREATE TABLE samples_raw (
    gateway_id text NOT NULL,
    fact       text NOT NULL,
    at         timestamptz NOT NULL,
    state      text NOT NULL CHECK (state IN ('ok', 'warn', 'down', 'unknown')),
    latency_ms integer,
    -- The same sample stored twice is one sample.
    PRIMARY KEY (gateway_id, fact, at)
);

CREATE INDEX samples_raw_by_time ON samples_raw (at);

-- For 30 days. `latency_count` of the samples had a latency.
CREATE TABLE samples_minute (
    gateway_id     text NOT NULL,
    fact           text NOT NULL,
    at             timestamptz NOT NULL,
    ok             integer NOT NULL,
    warn           integer NOT NULL,
    down           integer NOT NULL,
    unknown        integer NOT NULL,
    latency_count  integer NOT NULL,
    latency_min_ms integer,
    latency_avg_ms double precision,
    latency_max_ms integer,
    PRIMARY KEY (gateway_id, fact, at)
);

CREATE INDEX samples_minute_by_time ON samples_minute (at);

-- For two years.
CREATE TABLE samples_hour (
    gateway_id     text NOT NULL,
    fact           text NOT NULL,
    at             timestamptz NOT NULL,
    ok             integer NOT NULL,
    warn           integer NOT NULL,
    down           integer NOT NULL,
    unknown        integer NOT NULL,
    latency_count  integer NOT NULL,
    latency_min_ms integer,
    latency_avg_ms double precision,
    latency_max_ms integer,
    PRIMARY KEY (gateway_id, fact, at)
);

CREATE INDEX samples_hour_by_time ON samples_hour (at);
