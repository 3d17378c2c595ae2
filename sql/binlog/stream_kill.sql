-- End the server's side of a stream that was read by this user.
KILL {{thread}}
