-- Identity columns get the very value.
OVERRIDING SYSTEM VALUE 
