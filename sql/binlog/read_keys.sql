-- The rows whose key is one of some: compared as the server compares, which finds at least those that are meant.
SELECT {{columns}} FROM {{table}} WHERE {{keys}}
