-- A value as the type's own output function prints it.
textin({{function}}({{column}}))
