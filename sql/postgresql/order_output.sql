-- Any other type in the order of its printed form.
textsend(format('%s', {{column}}))
