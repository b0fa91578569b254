-- Filters of the audit trail that somebody keeps by a name. Theirs alone, and nothing that anybody acts on.

CREATE TABLE saved_views (
    id        uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people (id),
    name      text NOT NULL CHECK (name <> ''),
    -- As it stands in the URL of the page.
    query     text NOT NULL,
    UNIQUE (person_id, name)
);
