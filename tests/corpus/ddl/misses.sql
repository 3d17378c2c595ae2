ALTER TABLE account ADD COLUMN event INT

ALTER TABLE account ADD event INT AFTER id, DROP COLUMN event, MODIFY event BIGINT, CHANGE event event INT

ALTER TABLE account ADD INDEX event (id), RENAME COLUMN event TO x, RENAME KEY event TO y, RENAME INDEX x TO event

ALTER TABLE account ADD CONSTRAINT event FOREIGN KEY event (event) REFERENCES customer (event) ON DELETE CASCADE ON UPDATE SET NULL

ALTER TABLE account DROP FOREIGN KEY event, DROP INDEX event, DROP CONSTRAINT event, ALTER INDEX event INVISIBLE

ALTER TABLE account DROP PARTITION event

ALTER TABLE account REORGANIZE PARTITION event INTO (PARTITION event VALUES LESS THAN (5))

ALTER TABLE account COMMENT 'event', ALGORITHM=INPLACE, LOCK=NONE

CREATE TABLE account (event VARCHAR(9) DEFAULT 'event', KEY event (event), CONSTRAINT event CHECK (event <> 'event')) COMMENT='event'

CREATE TABLE account (id INT PRIMARY KEY, event INT AS (EXTRACT(YEAR FROM event)) STORED, event_id INT, events INT)

CREATE TABLE account (replace_ INT, truncate_ INT, `update` INT, `from` INT, event INT)

CREATE TABLE account (event INT) ENGINE=InnoDB, COMMENT='x', CHARSET=utf8mb4

CREATE INDEX event ON account (id)

CREATE INDEX i ON account (event, (TRIM(BOTH ' ' FROM event)))

DROP INDEX event ON account

DROP TABLE other.event

DROP TABLE account /* event */

DROP TABLE account -- event

DROP TABLE event_log, events, `event ` , `event-log`, _event

CREATE EVENT event ON SCHEDULE EVERY 1 DAY DO DELETE FROM account

ALTER EVENT event ENABLE

ALTER EVENT event RENAME TO event

DROP EVENT IF EXISTS event

CREATE TRIGGER event AFTER INSERT ON account FOR EACH ROW SET @event = NEW.event

CREATE TRIGGER t BEFORE UPDATE ON account FOR EACH ROW PRECEDES event SET NEW.event = OLD.event

DROP TRIGGER event

CREATE PROCEDURE event(IN event INT) BEGIN SELECT event FROM account WHERE account.event = event ORDER BY event; END

CREATE PROCEDURE p() BEGIN DECLARE event INT DEFAULT 0; SELECT COUNT(*) INTO event FROM account; SET event = event + 1; END

CREATE PROCEDURE p() BEGIN INSERT INTO account (event) SELECT x.event FROM customer AS x GROUP BY event ON DUPLICATE KEY UPDATE id = 1, event = 2; END

CREATE FUNCTION event() RETURNS VARCHAR(9) DETERMINISTIC RETURN 'event'

DROP FUNCTION event

DROP PROCEDURE IF EXISTS event

CREATE VIEW v AS SELECT event, a.event AS x, COUNT(event) AS event FROM account AS a WHERE event > 1 ORDER BY event LIMIT 1

CREATE VIEW v (event) AS SELECT SUBSTRING(a.name FROM 2) FROM account a JOIN customer c ON (c.event = a.event) AND event IN ('event', event)

CREATE DEFINER=event@localhost VIEW v AS SELECT 1 FROM account

CREATE DEFINER=`event`@`event` TRIGGER t AFTER INSERT ON account FOR EACH ROW SET @a = 1

GRANT EVENT ON st.* TO event

GRANT SELECT (event) ON account TO event

GRANT EXECUTE ON PROCEDURE event TO u

GRANT event TO u

REVOKE EVENT ON *.* FROM event

CREATE USER event IDENTIFIED BY 'event'

ALTER USER event@'%' ACCOUNT LOCK

RENAME USER event TO event2

CREATE ROLE event

DROP ROLE event

SET PASSWORD FOR event = 'x'

SET DEFAULT ROLE event FOR u

CREATE DATABASE event

ALTER DATABASE event CHARACTER SET utf8mb4

DROP DATABASE event

CREATE SERVER event FOREIGN DATA WRAPPER mysql OPTIONS (USER 'event', HOST 'event')

CREATE TEMPORARY TABLE event (id INT)

DROP TEMPORARY TABLE IF EXISTS event

CREATE TABLE account (a INT) PARTITION BY LIST (a) (PARTITION event VALUES IN (1))

CREATE TABLE account (a INT) CONNECTION='mysql://event@host/st/event'

FLUSH PRIVILEGES

INSTALL PLUGIN event SONAME 'event.so'

OPTIMIZE TABLE account, customer

CREATE TABLE `a``event` (id INT)

CREATE TABLE account SELECT 'event' AS event, "event" AS x FROM customer AS event
