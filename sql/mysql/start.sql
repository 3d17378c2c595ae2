-- Starts fetching and applying again.
START SLAVE FOR CHANNEL {{link}}
