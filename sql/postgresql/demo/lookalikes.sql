-- Tables outside every list whose names resemble listed ones: a policy must ask about them.

CREATE TABLE transferstatus (
    id bigint PRIMARY KEY,
    status varchar(20) NOT NULL,
    changed timestamptz(3) NOT NULL
);

CREATE TABLE auditlog_old (
    id bigint PRIMARY KEY,
    logged timestamptz(3) NOT NULL,
    message text
);
