-- Its key.
(PRIMARY KEY ({{columns}}))
