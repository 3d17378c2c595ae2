-- A row too many, if it is still what it was; as often as it is too many where the table has no key.
DELETE FROM {{table}} WHERE {{guard}} LIMIT {{times}};
