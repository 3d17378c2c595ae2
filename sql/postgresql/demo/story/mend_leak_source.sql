-- The event queue is taken out of the publication again.
ALTER PUBLICATION {{publication}} DROP TABLE public.event
