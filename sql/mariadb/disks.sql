-- How much room is left on the disks that the server sees, in KiB. Needs the privilege FILE.
SELECT Path AS path, Available AS available FROM information_schema.DISKS
