-- Somebody adds the event queue to the publication.
ALTER PUBLICATION {{publication}} ADD TABLE public.event
