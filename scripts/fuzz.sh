#!/bin/sh
# Runs every fuzz target of the module for the given time, one after another.
set -eu
time=${1:?usage: fuzz.sh TIME}
go list -f '{{.Dir}}' ./... | while read -r dir; do
	for target in $(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do
		echo "fuzz $target ($dir)"
		(cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x .)
	done
done
