-- Reviews of the audit trail: who looked at which events and what they say. Only ever added to, like the trail itself.

CREATE TABLE reviews (
    id           uuid PRIMARY KEY,
    verdict      text NOT NULL CHECK (verdict IN ('seen', 'question', 'follow-up')),
    comment      text,
    asked_id     uuid,
    asked_name   text,
    reviewed_by  jsonb NOT NULL,
    reviewer_key text NOT NULL,
    reviewed_at  timestamptz NOT NULL,
    CHECK ((verdict = 'question') = (asked_id IS NOT NULL)),
    CHECK ((asked_id IS NULL) = (asked_name IS NULL)),
    CHECK (verdict = 'seen' OR comment IS NOT NULL)
);

-- The events that a review covers, as stretches of their numbers.
CREATE TABLE review_stretches (
    review_id uuid NOT NULL REFERENCES reviews (id),
    first     bigint NOT NULL CHECK (first > 0),
    last      bigint NOT NULL,
    PRIMARY KEY (review_id, first),
    CHECK (last >= first)
);

CREATE INDEX review_stretches_by_event ON review_stretches (last, first);

CREATE TABLE review_answers (
    id          uuid PRIMARY KEY,
    review_id   uuid NOT NULL REFERENCES reviews (id),
    answered_by jsonb NOT NULL,
    answered_at timestamptz NOT NULL,
    answer      text NOT NULL
);

CREATE INDEX review_answers_by_review ON review_answers (review_id, answered_at);
CREATE INDEX questions ON reviews (reviewed_at) WHERE verdict = 'question';

CREATE TRIGGER reviews_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON reviews
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER review_stretches_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON review_stretches
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER review_answers_are_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON review_answers
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

ALTER TABLE reviews ENABLE ALWAYS TRIGGER reviews_are_append_only;
ALTER TABLE review_stretches ENABLE ALWAYS TRIGGER review_stretches_are_append_only;
ALTER TABLE review_answers ENABLE ALWAYS TRIGGER review_answers_are_append_only;

-- What wants a review, as `domain::review` has it.
CREATE INDEX audit_events_to_review ON audit_events (sequence)
WHERE outcome <> 'requested' AND (
    outcome = 'denied' OR action <> ALL (ARRAY[
        'sign-in', 'sign-out', 'confirm-identity', 'view-code', 'download-logs', 'hand-off',
        'mail-hand-off', 'open-hand-off', 'revoke-hand-off', 'pair-device', 'unpair-device', 'ask-second-person',
        'decline', 'withdraw', 'remind', 'verify-audit', 'review', 'answer-question',
        'accept-invitation', 'set-up-second-factor', 'renew-recovery-codes', 'end-sessions'
    ])
);
