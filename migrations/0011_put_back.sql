-- A key that was replaced may come back while it is kept: then the register counts from the rotation before.

ALTER TABLE key_rotations DROP CONSTRAINT key_rotations_cause_check;
ALTER TABLE key_rotations ADD CONSTRAINT key_rotations_cause_check
CHECK (cause IN ('scheduled', 'person-left', 'leak', 'put-back'));
-- The rotation whose old key came back.
ALTER TABLE key_rotations ADD COLUMN puts_back uuid REFERENCES key_rotations (operation_id);
ALTER TABLE key_rotations ADD CONSTRAINT a_key_comes_back_to_one_rotation
CHECK ((cause = 'put-back') = (puts_back IS NOT NULL));

ALTER TABLE rotations DROP CONSTRAINT rotations_cause_check;
ALTER TABLE rotations ADD CONSTRAINT rotations_cause_check
CHECK (cause IN ('scheduled', 'person-left', 'leak', 'put-back'));
-- When the version before came back; this one counts no more.
ALTER TABLE rotations ADD COLUMN put_back_at timestamptz;
