-- Starts fetching and applying again.
START SLAVE {{link}}
