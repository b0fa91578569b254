-- Commands that wait for a second person.

CREATE TABLE proposals (
    id           uuid PRIMARY KEY,
    gateway_id   text NOT NULL,
    name         text NOT NULL,
    command      jsonb NOT NULL,
    reason       text,
    asked_by     jsonb NOT NULL,
    asked_at     timestamptz NOT NULL,
    decision     text CHECK (decision IN ('approved', 'declined', 'withdrawn')),
    decided_by   jsonb,
    decided_at   timestamptz,
    note         text,
    operation_id uuid REFERENCES operations (id),
    CHECK ((decision IS NULL) = (decided_by IS NULL)),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    -- Nothing is begun that nobody agreed to.
    CHECK (operation_id IS NULL OR decision = 'approved')
);

CREATE INDEX proposals_by_gateway ON proposals (gateway_id, asked_at DESC);
