-- Start a subscription. Needs to be owner of the subscription or superuser.
ALTER SUBSCRIPTION {{subscription}} ENABLE
