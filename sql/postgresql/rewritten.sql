-- Which of these tables the server has truncated or written anew since the snapshot was taken, or given other partitions:
-- its catalog as it is now against the snapshot's. Such a table looks emptied, or filled, to a snapshot taken before.
WITH RECURSIVE below AS (
    SELECT c.oid AS root, c.oid, c.relkind, c.relfilenode
    FROM pg_class AS c WHERE c.oid = ANY (%(relids)s::oid[])
    UNION ALL
    SELECT b.root, c.oid, c.relkind, c.relfilenode
    FROM below AS b JOIN pg_inherits AS i ON i.inhparent = b.oid JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE b.relkind = 'p'
), now AS (
    SELECT r.root, p.relid::oid AS oid
    FROM (SELECT b.root FROM below AS b WHERE b.root = b.oid AND b.relkind = 'p') AS r
    CROSS JOIN LATERAL pg_partition_tree(r.root) AS p
)
SELECT DISTINCT w.root::bigint AS rewritten
FROM (
    SELECT b.root FROM below AS b WHERE b.relkind = 'r' AND pg_relation_filenode(b.oid) IS DISTINCT FROM b.relfilenode
    UNION ALL
    SELECT b.root FROM below AS b JOIN below AS r ON r.oid = b.root AND r.root = b.root AND r.relkind = 'p'
    WHERE NOT EXISTS (SELECT FROM now AS n WHERE n.root = b.root AND n.oid = b.oid)
    UNION ALL
    SELECT n.root FROM now AS n WHERE NOT EXISTS (SELECT FROM below AS b WHERE b.root = n.root AND b.oid = n.oid)
) AS w
