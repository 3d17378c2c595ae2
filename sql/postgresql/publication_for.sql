-- What a new publication publishes.
FOR {{objects}}
