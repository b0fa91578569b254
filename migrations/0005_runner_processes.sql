-- Which process a panel is, so that another one on the same machine need not wait for its silence: a
-- process that has ended will never write again. Absent where the system does not tell.

ALTER TABLE runners
    -- One boot of one machine (and one process namespace of it): numbers below are comparable only there.
    ADD COLUMN machine text,
    ADD COLUMN pid     integer,
    -- Clock ticks from boot to the start of the process: a process number is used again, a pair is not.
    ADD COLUMN started bigint;
