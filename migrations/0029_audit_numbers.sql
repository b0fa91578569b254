-- Events are counted from 1 on, and no other number is taken from now on. `NOT VALID`: a trail that somebody put such an
-- event into must not keep the panel from starting; a check names it.
ALTER TABLE audit_events
ADD CONSTRAINT audit_events_are_counted_from_one CHECK (sequence > 0) NOT VALID;
