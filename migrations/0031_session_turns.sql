-- How often a session's id was changed while it went on: by an older id, which another panel may remember, nobody is
-- let in.
ALTER TABLE person_sessions ADD COLUMN turn integer NOT NULL DEFAULT 0;
