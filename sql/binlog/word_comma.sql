-- What stands between the parts of a word.
','
