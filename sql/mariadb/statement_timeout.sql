-- How long a statement of this session may run.
SET SESSION max_statement_time = {{milliseconds}} / 1000
