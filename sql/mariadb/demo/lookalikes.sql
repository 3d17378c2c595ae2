-- Tables outside every list whose names resemble listed ones: a policy must ask about them.

CREATE TABLE TransferStatus (
    id BIGINT PRIMARY KEY,
    status VARCHAR(20) NOT NULL,
    changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE AUDITLOG_OLD (
    id BIGINT PRIMARY KEY,
    logged TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    message LONGTEXT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
