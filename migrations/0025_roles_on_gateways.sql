-- What somebody may do on one gateway, where it is something else than everywhere; `none` is nothing at all.

ALTER TABLE people
    DROP CONSTRAINT people_role_check,
    ADD CONSTRAINT people_role_check CHECK (role IN ('admin', 'operator', 'manager', 'viewer', 'none'));

CREATE TABLE roles_on_gateways (
    person_id  uuid NOT NULL REFERENCES people (id),
    gateway_id text NOT NULL CHECK (gateway_id <> ''),
    role       text NOT NULL CHECK (role IN ('admin', 'operator', 'manager', 'viewer', 'none')),
    PRIMARY KEY (person_id, gateway_id)
);
