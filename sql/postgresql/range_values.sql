-- One of some ranges.
({{place}}, {{lower}}, {{upper}})
