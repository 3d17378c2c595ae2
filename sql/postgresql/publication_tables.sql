-- Tables in a publication's list.
TABLE {{tables}}
