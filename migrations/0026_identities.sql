-- Who of an identity provider is who here, by the provider's URL and its own id of somebody. None of it belongs to one gateway.

CREATE TABLE identities (
    issuer        text NOT NULL CHECK (issuer <> ''),
    subject       text NOT NULL CHECK (subject <> '' AND length(subject) <= 255),
    person_id     uuid NOT NULL REFERENCES people (id),
    connected_at  timestamptz NOT NULL,
    last_used_at  timestamptz,
    PRIMARY KEY (issuer, subject),
    -- A person is one subject of a provider.
    UNIQUE (person_id, issuer)
);
