-- One column of the key within a word.
 || ',' || {{value}}
