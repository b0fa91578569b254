-- What waits for a review is found by the gaps between what was signed off, and by what reviewers did and agreed to
-- themselves: in time that does not grow with what was reviewed.

-- The condition is that of `audit_events_to_review`.
CREATE INDEX audit_events_to_review_by_actor ON audit_events (actor_key, sequence)
WHERE outcome <> 'requested' AND (
    outcome = 'denied' OR action <> ALL (ARRAY[
        'sign-in', 'sign-out', 'confirm-identity', 'view-code', 'download-logs', 'hand-off',
        'mail-hand-off', 'open-hand-off', 'revoke-hand-off', 'pair-device', 'unpair-device', 'ask-second-person',
        'decline', 'withdraw', 'remind', 'verify-audit', 'review', 'answer-question',
        'accept-invitation', 'set-up-second-factor', 'renew-recovery-codes', 'end-sessions'
    ])
);

CREATE INDEX proposals_by_operation ON proposals (operation_id) WHERE operation_id IS NOT NULL;
