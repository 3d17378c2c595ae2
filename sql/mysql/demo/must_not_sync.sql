-- The 25 tables of the demo application that belong to one cluster alone.
-- No foreign key leads from here to a configuration table or back.
-- Spellings are mixed on purpose: upper case as in the published list, mixed case as an embedded server has it.

CREATE TABLE AuditLog (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    logged TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    node VARCHAR(60) NOT NULL,
    administrator_login VARCHAR(60),
    operation VARCHAR(20) NOT NULL,
    object_kind VARCHAR(60) NOT NULL,
    object_name TEXT,
    old_value JSON,
    new_value JSON
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE ClusterNode (
    name VARCHAR(60) PRIMARY KEY,
    address VARCHAR(45) NOT NULL,
    started TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    is_primary BOOLEAN NOT NULL,
    version VARCHAR(40) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE DMZ_ZONE (
    id BIGINT PRIMARY KEY,
    name VARCHAR(60) NOT NULL UNIQUE,
    is_default BOOLEAN NOT NULL,
    description TEXT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE DMZ_EDGE (
    id BIGINT PRIMARY KEY,
    zone_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL,
    enabled BOOLEAN NOT NULL,
    FOREIGN KEY (zone_id) REFERENCES DMZ_ZONE (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE DMZ_EDGE_IP_ADDRESS (
    edge_id BIGINT NOT NULL,
    address VARCHAR(45) NOT NULL,
    PRIMARY KEY (edge_id, address),
    FOREIGN KEY (edge_id) REFERENCES DMZ_EDGE (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE DMZ_EDGE_PROTOCOL (
    edge_id BIGINT NOT NULL,
    protocol VARCHAR(10) NOT NULL,
    port INT NOT NULL,
    PRIMARY KEY (edge_id, protocol, port),
    FOREIGN KEY (edge_id) REFERENCES DMZ_EDGE (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE DMZ_EDGE_PROXY (
    edge_id BIGINT PRIMARY KEY,
    port INT NOT NULL,
    login VARCHAR(60),
    password_encrypted BLOB,
    direct_dns BOOLEAN NOT NULL,
    FOREIGN KEY (edge_id) REFERENCES DMZ_EDGE (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE Event (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind VARCHAR(60) NOT NULL,
    priority SMALLINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    owner_node VARCHAR(60),
    attempts INT NOT NULL DEFAULT 0,
    created DATETIME(3) NOT NULL,
    payload LONGBLOB
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE HT_BUSINESSUNIT (
    id BIGINT NOT NULL,
    hib_session VARCHAR(40) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE LOGGING_EVENT (
    event_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    logged_ms BIGINT NOT NULL,
    level VARCHAR(10) NOT NULL,
    logger VARCHAR(200) NOT NULL,
    thread VARCHAR(100),
    message LONGTEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE LOGGING_EVENT_TEMP LIKE LOGGING_EVENT;

CREATE TABLE LOGGING_EVENT_EXCEPTION (
    event_id BIGINT NOT NULL,
    line SMALLINT NOT NULL,
    trace LONGTEXT NOT NULL,
    PRIMARY KEY (event_id, line),
    FOREIGN KEY (event_id) REFERENCES LOGGING_EVENT (event_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE LOGGING_EVENT_EXCEPTION_TEMP LIKE LOGGING_EVENT_EXCEPTION;

CREATE TABLE LOGGING_EVENT_PROPERTY (
    event_id BIGINT NOT NULL,
    name VARCHAR(100) NOT NULL,
    value TEXT,
    PRIMARY KEY (event_id, name),
    FOREIGN KEY (event_id) REFERENCES LOGGING_EVENT (event_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE LOGGING_EVENT_PROPERTY_TEMP LIKE LOGGING_EVENT_PROPERTY;

CREATE TABLE TransferData (
    id CHAR(32) NOT NULL,
    starttime TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    account_name VARCHAR(80) NOT NULL,
    login VARCHAR(80),
    protocol VARCHAR(10) NOT NULL,
    inbound BOOLEAN NOT NULL,
    remote_address VARCHAR(45),
    server_node VARCHAR(60) NOT NULL,
    PRIMARY KEY (id, starttime)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE TRANSFERDATA_TEMP LIKE TransferData;

CREATE TABLE TransferDetails (
    transfer_id CHAR(32) NOT NULL,
    starttime TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    file_name TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    sha256 BINARY(32),
    parameters JSON,
    PRIMARY KEY (transfer_id, starttime)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE TRANSFERDETAILS_TEMP LIKE TransferDetails;

CREATE TABLE TransferProtocolCommands (
    transfer_id CHAR(32) NOT NULL,
    starttime TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    position INT NOT NULL,
    command TEXT NOT NULL,
    reply TEXT,
    PRIMARY KEY (transfer_id, position, starttime)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE TRANSFERPROTOCOLCOMMANDS_TEMP LIKE TransferProtocolCommands;

CREATE TABLE SubTransmissionStatus (
    transfer_id CHAR(32) NOT NULL,
    starttime TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    position INT NOT NULL,
    status VARCHAR(20) NOT NULL,
    bytes_sent BIGINT NOT NULL,
    PRIMARY KEY (transfer_id, position, starttime)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE SUBTRANSMISSIONSTATUS_TEMP LIKE SubTransmissionStatus;

CREATE TABLE TransferResubmitData (
    transfer_id CHAR(32) NOT NULL,
    starttime TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    resubmit_of CHAR(32),
    stored_path TEXT NOT NULL,
    environment LONGBLOB,
    PRIMARY KEY (transfer_id, starttime)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE TRANSFERRESUBMITDATA_TEMP LIKE TransferResubmitData;
