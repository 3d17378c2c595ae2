-- Rows of a table without a key are counted, and the count must hold until the end.
LOCK TABLE {{table}} IN SHARE ROW EXCLUSIVE MODE
