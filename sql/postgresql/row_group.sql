-- Some of the values of a row that has more than a ROW can take.
int8send({{hash}})
