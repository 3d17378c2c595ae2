-- Its key.
ALTER TABLE pg_temp.{{table}} ADD PRIMARY KEY ({{columns}})
