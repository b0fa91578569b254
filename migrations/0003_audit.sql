-- The audit trail: append-only, and the database itself sees to that.

CREATE TABLE audit_events (
    sequence     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    at           timestamptz NOT NULL,
    -- As they were at that moment: name, role, address and browser.
    actor        jsonb NOT NULL,
    actor_key    text NOT NULL,
    action       text NOT NULL,
    gateway_id   text,
    target       text,
    -- No foreign key: the trail stands alone and outlives what it speaks of.
    operation_id uuid,
    reason       text,
    outcome      text NOT NULL CHECK (
        outcome IN ('requested', 'succeeded', 'failed', 'denied', 'undone')
    ),
    note         text
);

CREATE INDEX audit_events_by_gateway ON audit_events (gateway_id, sequence DESC);
CREATE INDEX audit_events_by_actor ON audit_events (actor_key, sequence DESC);
CREATE INDEX audit_events_by_operation ON audit_events (operation_id)
WHERE operation_id IS NOT NULL;

CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_events_are_append_only
BEFORE UPDATE OR DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_events_are_not_truncated
BEFORE TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- Not even while replication roles or session_replication_role = 'replica' switch ordinary ones off.
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_not_truncated;
