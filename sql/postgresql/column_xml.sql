-- XML as stored: its output function drops an encoding declaration.
{{column}}::text
