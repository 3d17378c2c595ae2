-- What a publication publishes, whole. Needs to be owner of the publication and of the tables.
ALTER PUBLICATION {{publication}} SET {{objects}}
