-- The configuration tables of the demo application: what two clusters must have in common.
-- Statements end with a semicolon at the end of a line. Names are unqualified: they fall into the current schema.

CREATE TYPE account_kind AS ENUM ('user', 'service', 'template');

CREATE TYPE transfer_protocol AS ENUM ('ftp', 'ftps', 'sftp', 'http', 'https', 'as2', 'folder');

CREATE TABLE businessunit (
    id bigint PRIMARY KEY,
    name varchar(80) NOT NULL UNIQUE,
    parent_id bigint REFERENCES businessunit (id),
    base_folder text NOT NULL,
    quota_gib numeric(20, 4),
    contact jsonb,
    enabled boolean NOT NULL DEFAULT true,
    created timestamptz(6) NOT NULL
);

CREATE TABLE adminrole (
    name varchar(40) PRIMARY KEY,
    rights bit(16) NOT NULL,
    menu jsonb NOT NULL,
    built_in boolean NOT NULL DEFAULT false
);

CREATE TABLE administrator (
    login varchar(60) COLLATE "C" PRIMARY KEY,
    role_name varchar(40) NOT NULL REFERENCES adminrole (name),
    full_name varchar(120),
    password_hash bytea NOT NULL,
    allowed_from inet,
    locked boolean NOT NULL DEFAULT false,
    lastlogintime timestamptz(3)
);

CREATE TABLE administrator_businessunit (
    administrator_login varchar(60) COLLATE "C" NOT NULL REFERENCES administrator (login),
    businessunit_id bigint NOT NULL REFERENCES businessunit (id),
    may_write boolean NOT NULL DEFAULT false,
    PRIMARY KEY (administrator_login, businessunit_id)
);

CREATE TABLE userclass (
    rank smallint PRIMARY KEY,
    name varchar(40) NOT NULL UNIQUE,
    match_expression text NOT NULL
);

CREATE TABLE bandwidthpolicy (
    name varchar(40) PRIMARY KEY,
    inbound_mbit double precision,
    outbound_mbit double precision,
    burst_factor real NOT NULL,
    price_per_gib numeric(12, 6) NOT NULL
);

CREATE TABLE account (
    id bigint PRIMARY KEY,
    name varchar(80) NOT NULL UNIQUE,
    businessunit_id bigint NOT NULL REFERENCES businessunit (id),
    bandwidthpolicy_name varchar(40) REFERENCES bandwidthpolicy (name),
    kind account_kind NOT NULL DEFAULT 'user',
    email varchar(160),
    home_folder text NOT NULL,
    unix_uid integer NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    attributes jsonb NOT NULL,
    created timestamptz(6) NOT NULL,
    modified timestamp(3)
);

CREATE TABLE virtualuser (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL UNIQUE REFERENCES account (id),
    loginname varchar(80) NOT NULL UNIQUE,
    password_hash bytea,
    auth_methods text[] NOT NULL,
    password_expires date,
    max_failures smallint NOT NULL DEFAULT 5,
    locked boolean NOT NULL DEFAULT false,
    lastlogin timestamptz(3)
);

CREATE TABLE accountattribute (
    account_id bigint NOT NULL REFERENCES account (id),
    name varchar(60) NOT NULL,
    value text,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE certificate (
    id uuid PRIMARY KEY,
    account_id bigint REFERENCES account (id),
    alias varchar(80) NOT NULL,
    serial_number numeric(39, 0) NOT NULL,
    subject text NOT NULL,
    fingerprint bytea NOT NULL,
    der bytea NOT NULL,
    private_key_encrypted bytea,
    not_before timestamptz(0) NOT NULL,
    not_after timestamptz(0) NOT NULL,
    usage_flags bit(8) NOT NULL
);

CREATE TABLE pgpkey (
    key_id bytea PRIMARY KEY,
    account_id bigint REFERENCES account (id),
    armored_public_key text NOT NULL,
    secret_key_encrypted bytea
);

CREATE TABLE site (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    name varchar(80) NOT NULL,
    protocol transfer_protocol NOT NULL,
    host varchar(255),
    port integer,
    login varchar(80),
    password_encrypted bytea,
    client_certificate_id uuid REFERENCES certificate (id),
    options jsonb NOT NULL,
    connect_timeout_s numeric(8, 3) NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE siteparameter (
    site_id bigint NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    name varchar(60) NOT NULL,
    value text,
    PRIMARY KEY (site_id, name)
);

CREATE TABLE schedule (
    id bigint PRIMARY KEY,
    name varchar(80) NOT NULL UNIQUE,
    days text[] NOT NULL,
    start_time time(0) NOT NULL,
    every interval,
    valid_from date NOT NULL,
    valid_until date,
    time_zone varchar(40) NOT NULL
);

CREATE TABLE application (
    name varchar(80) PRIMARY KEY,
    kind varchar(40) NOT NULL,
    schedule_id bigint REFERENCES schedule (id),
    notes text
);

CREATE TABLE subscription (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    application_name varchar(80) NOT NULL REFERENCES application (name),
    folder varchar(250) NOT NULL,
    max_parallel smallint,
    post_action jsonb,
    UNIQUE (account_id, folder)
);

CREATE TABLE subscription_parameter (
    subscription_id bigint NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    name varchar(60) NOT NULL,
    position smallint NOT NULL,
    value text,
    PRIMARY KEY (subscription_id, name, position)
);

CREATE TABLE route (
    id uuid PRIMARY KEY,
    subscription_id bigint NOT NULL REFERENCES subscription (id),
    name varchar(80) NOT NULL,
    condition_expression text,
    definition json NOT NULL,
    sort_order integer NOT NULL
);

CREATE TABLE routestep (
    route_id uuid NOT NULL REFERENCES route (id),
    position smallint NOT NULL,
    action varchar(40) NOT NULL,
    site_id bigint REFERENCES site (id),
    arguments jsonb NOT NULL,
    on_failure varchar(20) NOT NULL,
    PRIMARY KEY (route_id, position)
);

CREATE TABLE protocolserver (
    id smallint PRIMARY KEY,
    protocol transfer_protocol NOT NULL,
    label varchar(40) NOT NULL,
    ports int4range NOT NULL,
    cipher_suites text[] NOT NULL,
    enabled boolean NOT NULL
);

-- node is empty for a parameter that the whole deployment shares.
CREATE TABLE serverconfiguration (
    name varchar(120) COLLATE "C" NOT NULL,
    node varchar(60) COLLATE "C" NOT NULL DEFAULT '',
    value text,
    encrypted boolean NOT NULL DEFAULT false,
    modified timestamptz(6) NOT NULL,
    PRIMARY KEY (name, node)
);

CREATE TABLE ldapdomain (
    id bigint PRIMARY KEY,
    url varchar(255) NOT NULL,
    bind_dn text NOT NULL,
    bind_password_encrypted bytea,
    attribute_map jsonb NOT NULL
);

CREATE TABLE mailtemplate (
    name varchar(60) NOT NULL,
    language char(5) NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (name, language)
);

CREATE TABLE customfile (
    path varchar(250) PRIMARY KEY,
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    modified timestamp(6) NOT NULL
);

-- The one configuration table without a key; full identity lets it be updated while it is published.
CREATE TABLE addressrule (
    list_name varchar(40) NOT NULL,
    address inet NOT NULL,
    verdict varchar(10) NOT NULL,
    comment text
);

ALTER TABLE addressrule REPLICA IDENTITY FULL;
