-- Stop a subscription; its worker ends at a transaction's end. Needs to be owner of the subscription or superuser.
ALTER SUBSCRIPTION {{subscription}} DISABLE
