-- The audit trail as a chain: each event carries the hash of the one before. `audit/README.md` has the text that is
-- hashed. Events of before are chained by the panel, right after this.

ALTER TABLE audit_events
-- From now on each number is the one after the head's: without gaps, in the order of the commits.
ALTER COLUMN sequence DROP IDENTITY,
-- Value by value: what, before, after. Never a secret.
ADD COLUMN changes jsonb,
ADD COLUMN duration_ms bigint CHECK (duration_ms >= 0),
ADD COLUMN previous bytea CHECK (length(previous) = 32),
ADD COLUMN hash bytea CHECK (length(hash) = 32);

-- The last event. Whoever appends locks it until the end of the transaction, as the last lock of all.
CREATE TABLE audit_head (
    there_is_one boolean PRIMARY KEY DEFAULT true CHECK (there_is_one),
    sequence     bigint NOT NULL,
    hash         bytea NOT NULL CHECK (length(hash) = 32)
) WITH (fillfactor = 10);

INSERT INTO audit_head (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- The panel's role may not write to the head; it appends, and the head follows.
CREATE FUNCTION lock_audit_head(OUT sequence bigint, OUT hash bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT head.sequence, head.hash FROM audit_head AS head FOR UPDATE
$$;

CREATE FUNCTION move_audit_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE audit_head SET sequence = NEW.sequence, hash = NEW.hash
    WHERE audit_head.sequence = NEW.sequence - 1 AND audit_head.hash = NEW.previous;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'audit event % does not follow the last one', NEW.sequence
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

-- Whoever works as the panel is given the first one by name. The second one moves the head for whatever table it is a
-- trigger of: nobody else may make it one of a table of their own.
REVOKE EXECUTE ON FUNCTION lock_audit_head(), move_audit_head() FROM PUBLIC;

CREATE TRIGGER audit_events_follow_the_head
AFTER INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION move_audit_head();

CREATE TRIGGER audit_head_stays
BEFORE DELETE OR TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- Which event was the last one at a moment, signed by a panel's key.
CREATE TABLE audit_checkpoints (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sequence  bigint NOT NULL,
    hash      bytea NOT NULL CHECK (length(hash) = 32),
    at        timestamptz NOT NULL,
    key       bytea NOT NULL CHECK (length(key) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64)
);

-- What checks of the whole chain found.
CREATE TABLE audit_checks (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    result jsonb NOT NULL
);

CREATE TRIGGER audit_checkpoints_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_checks_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checks
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_stays;
ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_are_append_only;
ALTER TABLE audit_checks ENABLE ALWAYS TRIGGER audit_checks_are_append_only;

-- How far checkpoints have left the house.
CREATE TABLE audit_deliveries (
    way           text PRIMARY KEY CHECK (way IN ('url', 'mail')),
    -- Everything up to this one has arrived.
    checkpoint_id bigint NOT NULL DEFAULT 0,
    delivered_at  timestamptz,
    -- Why the last try failed.
    failed        text,
    tried_at      timestamptz
);
