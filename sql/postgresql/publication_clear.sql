-- A publication of which nothing may be left. Needs to be its owner.
ALTER PUBLICATION {{publication}} DROP {{objects}}
