-- What became of each WhatsApp account: its link and its connection, change by change.

CREATE TABLE account_changes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id   text NOT NULL,
    account_id   text NOT NULL,
    at           timestamptz NOT NULL,
    state        text NOT NULL CHECK (state IN ('connected', 'away', 'unlinked', 'unknown')),
    -- WhatsApp's own code, where there was one.
    code         integer,
    -- Why, as a clause; empty when connected.
    cause        text NOT NULL,
    -- The operation that caused it: such a change was planned.
    operation_id uuid REFERENCES operations (id),
    planned_by   text
);

CREATE INDEX account_changes_by_account ON account_changes (gateway_id, account_id, id);
