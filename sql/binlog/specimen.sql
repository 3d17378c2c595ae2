-- A temporary table with a column of each kind, for rows of our own making.
CREATE TEMPORARY TABLE {{table}} (
  id INT PRIMARY KEY, t TINYINT, b BIGINT, u BIGINT UNSIGNED, n DECIMAL(20,4), f FLOAT, d DOUBLE, c CHAR(5) CHARACTER SET utf8mb4,
  v VARCHAR(40) CHARACTER SET utf8mb4, w VARCHAR(40) CHARACTER SET utf8mb4, l VARCHAR(40) CHARACTER SET latin1,
  lt LONGTEXT CHARACTER SET utf8mb4, vb VARBINARY(20), lb LONGBLOB, da DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, ti TIME(6),
  e ENUM('a','b') CHARACTER SET utf8mb4, s SET('a','b') CHARACTER SET utf8mb4, y YEAR, bi BIT(9)
)
