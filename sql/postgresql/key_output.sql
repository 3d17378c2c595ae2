-- A column of a type whose own comparison nobody has made sure of, by its printed form.
format('%s', {{column}}) COLLATE "C"
