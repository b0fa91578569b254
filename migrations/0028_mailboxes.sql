-- Where people get mail about their own accounts. None of it belongs to one gateway.

CREATE TABLE mailboxes (
    person_id uuid PRIMARY KEY REFERENCES people (id),
    address   text NOT NULL CHECK (address <> '' AND length(address) <= 254),
    set_at    timestamptz NOT NULL
);
