-- Starts fetching and applying again.
START REPLICA FOR CHANNEL {{link}}
