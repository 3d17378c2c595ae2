-- The configuration tables of the demo application: what two clusters must have in common.
-- Statements end with a semicolon at the end of a line. Names are unqualified: they fall into the current database.

CREATE TABLE businessunit (
    id BIGINT PRIMARY KEY,
    name VARCHAR(80) NOT NULL UNIQUE,
    parent_id BIGINT,
    base_folder TEXT NOT NULL,
    quota_gib DECIMAL(20, 4),
    contact JSON,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created DATETIME(6) NOT NULL,
    FOREIGN KEY (parent_id) REFERENCES businessunit (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE adminrole (
    name VARCHAR(40) PRIMARY KEY,
    rights BIT(16) NOT NULL,
    menu JSON NOT NULL,
    built_in BOOLEAN NOT NULL DEFAULT FALSE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE administrator (
    login VARCHAR(60) COLLATE utf8mb4_bin PRIMARY KEY,
    role_name VARCHAR(40) NOT NULL,
    full_name VARCHAR(120),
    password_hash VARBINARY(64) NOT NULL,
    allowed_from VARCHAR(45),
    locked BOOLEAN NOT NULL DEFAULT FALSE,
    lastLoginTime TIMESTAMP(3) NULL,
    FOREIGN KEY (role_name) REFERENCES adminrole (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE administrator_businessunit (
    administrator_login VARCHAR(60) COLLATE utf8mb4_bin NOT NULL,
    businessunit_id BIGINT NOT NULL,
    may_write BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (administrator_login, businessunit_id),
    FOREIGN KEY (administrator_login) REFERENCES administrator (login),
    FOREIGN KEY (businessunit_id) REFERENCES businessunit (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE userclass (
    `rank` SMALLINT PRIMARY KEY,
    name VARCHAR(40) NOT NULL UNIQUE,
    match_expression TEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE bandwidthpolicy (
    name VARCHAR(40) PRIMARY KEY,
    inbound_mbit DOUBLE,
    outbound_mbit DOUBLE,
    burst_factor FLOAT NOT NULL,
    price_per_gib DECIMAL(12, 6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE account (
    id BIGINT PRIMARY KEY,
    name VARCHAR(80) NOT NULL UNIQUE,
    businessunit_id BIGINT NOT NULL,
    bandwidthpolicy_name VARCHAR(40),
    kind ENUM('user', 'service', 'template') NOT NULL DEFAULT 'user',
    email VARCHAR(160),
    home_folder TEXT NOT NULL,
    unix_uid INT NOT NULL,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    attributes JSON NOT NULL,
    created DATETIME(6) NOT NULL,
    modified DATETIME(3),
    FOREIGN KEY (businessunit_id) REFERENCES businessunit (id),
    FOREIGN KEY (bandwidthpolicy_name) REFERENCES bandwidthpolicy (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE virtualuser (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL UNIQUE,
    loginname VARCHAR(80) NOT NULL UNIQUE,
    password_hash VARBINARY(64),
    auth_methods SET('password', 'publickey', 'certificate', 'sso', 'otp') NOT NULL,
    password_expires DATE,
    max_failures SMALLINT NOT NULL DEFAULT 5,
    locked BOOLEAN NOT NULL DEFAULT FALSE,
    LastLogin TIMESTAMP(3) NULL,
    FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE AccountAttribute (
    account_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL,
    value TEXT,
    PRIMARY KEY (account_id, name),
    FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE certificate (
    id BINARY(16) PRIMARY KEY,
    account_id BIGINT,
    alias VARCHAR(80) NOT NULL,
    serial_number DECIMAL(39, 0) NOT NULL,
    subject TEXT NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    der BLOB NOT NULL,
    private_key_encrypted BLOB,
    not_before DATETIME NOT NULL,
    not_after DATETIME NOT NULL,
    usage_flags BIT(8) NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE pgpkey (
    key_id BINARY(8) PRIMARY KEY,
    account_id BIGINT,
    armored_public_key LONGTEXT NOT NULL,
    secret_key_encrypted BLOB,
    FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE site (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    protocol ENUM('ftp', 'ftps', 'sftp', 'http', 'https', 'as2', 'folder') NOT NULL,
    host VARCHAR(255),
    port INT,
    login VARCHAR(80),
    password_encrypted BLOB,
    client_certificate_id BINARY(16),
    options JSON NOT NULL,
    connect_timeout_s DECIMAL(8, 3) NOT NULL,
    UNIQUE (account_id, name),
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (client_certificate_id) REFERENCES certificate (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE SiteParameter (
    site_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL,
    value TEXT,
    PRIMARY KEY (site_id, name),
    FOREIGN KEY (site_id) REFERENCES site (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE schedule (
    id BIGINT PRIMARY KEY,
    name VARCHAR(80) NOT NULL UNIQUE,
    days SET('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun') NOT NULL,
    start_time TIME(0) NOT NULL,
    every TIME,
    valid_from DATE NOT NULL,
    valid_until DATE,
    time_zone VARCHAR(40) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE application (
    name VARCHAR(80) PRIMARY KEY,
    kind VARCHAR(40) NOT NULL,
    schedule_id BIGINT,
    notes TEXT,
    FOREIGN KEY (schedule_id) REFERENCES schedule (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE subscription (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    application_name VARCHAR(80) NOT NULL,
    folder VARCHAR(250) NOT NULL,
    max_parallel SMALLINT,
    post_action JSON,
    UNIQUE (account_id, folder),
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (application_name) REFERENCES application (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE subscription_parameter (
    subscription_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL,
    position SMALLINT NOT NULL,
    value TEXT,
    PRIMARY KEY (subscription_id, name, position),
    FOREIGN KEY (subscription_id) REFERENCES subscription (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE route (
    id BINARY(16) PRIMARY KEY,
    subscription_id BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    condition_expression TEXT,
    definition JSON NOT NULL,
    sort_order INT NOT NULL,
    FOREIGN KEY (subscription_id) REFERENCES subscription (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE routestep (
    route_id BINARY(16) NOT NULL,
    position SMALLINT NOT NULL,
    action VARCHAR(40) NOT NULL,
    site_id BIGINT,
    arguments JSON NOT NULL,
    on_failure VARCHAR(20) NOT NULL,
    PRIMARY KEY (route_id, position),
    FOREIGN KEY (route_id) REFERENCES route (id),
    FOREIGN KEY (site_id) REFERENCES site (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE protocolserver (
    id SMALLINT PRIMARY KEY,
    protocol ENUM('ftp', 'ftps', 'sftp', 'http', 'https', 'as2', 'folder') NOT NULL,
    label VARCHAR(40) NOT NULL,
    ports VARCHAR(20) NOT NULL,
    cipher_suites SET('aes128-gcm', 'aes256-gcm', 'chacha20', 'aes128-ctr') NOT NULL,
    enabled BOOLEAN NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- node is empty for a parameter that the whole deployment shares.
CREATE TABLE serverconfiguration (
    name VARCHAR(120) COLLATE utf8mb4_bin NOT NULL,
    node VARCHAR(60) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    value TEXT,
    encrypted BOOLEAN NOT NULL DEFAULT FALSE,
    modified TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (name, node)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE ldapdomain (
    id BIGINT PRIMARY KEY,
    url VARCHAR(255) NOT NULL,
    bind_dn TEXT NOT NULL,
    bind_password_encrypted BLOB,
    attribute_map JSON NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE MailTemplate (
    name VARCHAR(60) NOT NULL,
    language CHAR(5) NOT NULL,
    subject TEXT NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (name, language)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE customfile (
    path VARCHAR(250) PRIMARY KEY,
    content LONGBLOB NOT NULL,
    sha256 BINARY(32) NOT NULL,
    modified DATETIME(6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The one configuration table without a key.
CREATE TABLE addressrule (
    list_name VARCHAR(40) NOT NULL,
    address VARCHAR(45) NOT NULL,
    verdict VARCHAR(10) NOT NULL,
    comment TEXT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
