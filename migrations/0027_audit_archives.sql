-- Stretches of the audit trail that were written to a file and signed. Their events may go from here, by the owner of the
-- table alone; nothing else may.
CREATE TABLE audit_archives (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The first and the last event.
    first     bigint NOT NULL CHECK (first > 0),
    sequence  bigint NOT NULL UNIQUE,
    -- Of the last event: what comes after it carries this.
    hash      bytea NOT NULL CHECK (length(hash) = 32),
    events    bigint NOT NULL CHECK (events > 0),
    -- All of them were written before this moment.
    before    timestamptz NOT NULL,
    -- The file's name.
    file      text NOT NULL CHECK (file <> ''),
    -- The signed checkpoint of the last event.
    at        timestamptz NOT NULL,
    key       bytea NOT NULL CHECK (length(key) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64),
    CHECK (sequence >= first)
);

CREATE TRIGGER audit_archives_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archives
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
ALTER TABLE audit_archives ENABLE ALWAYS TRIGGER audit_archives_are_append_only;

CREATE FUNCTION let_only_archived_events_go() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.sequence <= (SELECT max(sequence) FROM audit_archives) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

DROP TRIGGER audit_events_are_append_only ON audit_events;
CREATE TRIGGER audit_events_are_append_only
BEFORE UPDATE OR DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION let_only_archived_events_go();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only;
