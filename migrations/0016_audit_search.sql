-- Looking into the audit trail by person, gateway, act, outcome, time and words, however long it is.

CREATE INDEX audit_events_by_action ON audit_events (action, sequence);
CREATE INDEX audit_events_by_outcome ON audit_events (outcome, sequence);
CREATE INDEX audit_events_by_time ON audit_events (at, sequence);
-- For each kind of event its numbers in order: whatever is combined is found by a few of these lists.
CREATE INDEX audit_events_by_kind ON audit_events (actor_key, action, outcome, gateway_id, sequence);

-- Every kind of event that there was: who, what, with which outcome, where. Few, however many events there are.
CREATE TABLE audit_kinds (
    actor_key  text NOT NULL,
    actor_name text NOT NULL,
    action     text NOT NULL,
    outcome    text NOT NULL,
    gateway_id text,
    -- The first event of the kind.
    first      bigint NOT NULL
);

CREATE UNIQUE INDEX audit_kinds_are_different
ON audit_kinds (actor_key, action, outcome, coalesce(gateway_id, ''), actor_name);
CREATE INDEX audit_kinds_by_actor ON audit_kinds (actor_key, first DESC, actor_name);
CREATE INDEX audit_kinds_by_action ON audit_kinds (action);
CREATE INDEX audit_kinds_by_gateway ON audit_kinds (gateway_id);

CREATE FUNCTION note_audit_kind() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_kinds (actor_key, actor_name, action, outcome, gateway_id, first)
    VALUES (NEW.actor_key, coalesce(NEW.actor ->> 'name', NEW.actor ->> 'user', ''), NEW.action, NEW.outcome,
            NEW.gateway_id, NEW.sequence)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION note_audit_kind() FROM PUBLIC;

INSERT INTO audit_kinds (actor_key, actor_name, action, outcome, gateway_id, first)
SELECT actor_key, coalesce(actor ->> 'name', actor ->> 'user', ''), action, outcome, gateway_id, min(sequence)
FROM audit_events GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER audit_events_are_of_a_kind
AFTER INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION note_audit_kind();

-- The words of an event, each with the number of the 16,384 events that it belongs to before it: so the newest matches are
-- found first, and a word that everybody uses costs no more than one that nobody does. `w` marks a word; the other
-- letters mark what the other columns say, so that both are found together.
CREATE FUNCTION audit_words(
    sequence bigint, actor jsonb, actor_key text, action text, gateway_id text, outcome text,
    target text, reason text, note text
) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
    SELECT pg_catalog.array_to_tsvector(pg_catalog.array_agg(
        (sequence >> 14)::pg_catalog.text || ' ' || pg_catalog."left"(word, 200)
    ))
    FROM pg_catalog.unnest(
        ARRAY['a' || actor_key, 'x' || action, 'o' || outcome, 'g' || coalesce(gateway_id, '')]
        || ARRAY(
            SELECT 'w' || lexeme FROM pg_catalog.unnest(pg_catalog.to_tsvector(
                'pg_catalog.simple',
                pg_catalog."left"(
                    coalesce(actor ->> 'name', actor ->> 'user', '') || ' ' || coalesce(target, '') || ' '
                    || coalesce(reason, '') || ' ' || coalesce(note, ''),
                    20000
                )
            ))
        )
    ) AS word
$$;

CREATE INDEX audit_events_by_words ON audit_events
USING gin (audit_words(sequence, actor, actor_key, action, gateway_id, outcome, target, reason, note))
WITH (fastupdate = off);
