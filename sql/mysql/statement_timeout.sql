-- How many milliseconds a statement of this session that reads may run.
SET SESSION max_execution_time = {{milliseconds}}
