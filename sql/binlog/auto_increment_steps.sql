-- In which steps the server gives AUTO_INCREMENT numbers.
SELECT @@GLOBAL.auto_increment_increment AS increment, @@GLOBAL.auto_increment_offset AS first_number
