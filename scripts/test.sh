#!/bin/sh
# Runs all tests and says aloud which were skipped and why. Arguments go to the summary.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test -json ./... >"$log"
go run ./scripts/testsummary "$@" <"$log"
