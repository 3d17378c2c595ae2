-- One day of a tracking table. DDL takes no parameters, so the bounds are literals made from dates.
CREATE TABLE {{partition}} PARTITION OF {{table}} FOR VALUES FROM ({{first}}) TO ({{end}})
