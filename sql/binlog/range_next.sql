-- One column decides, or where it is equal those behind it.
({{decides}} OR {{equal}} AND {{next}})
