"""The runs of the nightly report: stored, compared with one another, shown and pruned. Needs no server."""
