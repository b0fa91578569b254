-- A rotation that a person noted is written into the rotation log, too: the commit, or why not yet.

ALTER TABLE rotations ADD COLUMN logged text;
ALTER TABLE rotations ADD COLUMN not_logged text;
ALTER TABLE rotations ADD CONSTRAINT a_rotation_is_logged_or_not
CHECK (logged IS NULL OR not_logged IS NULL);
