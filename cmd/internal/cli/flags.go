package cli

import (
	"flag"
	"fmt"
	"strings"
)

func isHelp(arg string) bool { return arg == "--help" || arg == "-help" || arg == "-h" }

// parse sets the flags found anywhere in args and returns the other arguments
// in order. Package flag stops at the first of those; this goes on, one flag at
// a time, until "--".
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			return append(rest, args[1:]...), nil
		case len(arg) < 2 || arg[0] != '-':
			rest, args = append(rest, arg), args[1:]
		case isHelp(arg):
			return nil, flag.ErrHelp
		default:
			n, err := parseOne(fs, args)
			if err != nil {
				return nil, err
			}
			args = args[n:]
		}
	}
	return rest, nil
}

// parseOne sets the flag at args[0] and returns how many arguments it took.
func parseOne(fs *flag.FlagSet, args []string) (int, error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(args[0][1:], "-"), "=")
	f := fs.Lookup(name)
	if f == nil {
		return 0, fmt.Errorf("unknown flag --%s", name)
	}
	n := 1
	if !hasValue {
		if isBool(f) {
			value = "true"
		} else if len(args) < 2 {
			return 0, fmt.Errorf("flag --%s needs a value", name)
		} else {
			value, n = args[1], 2
		}
	}
	if err := fs.Set(name, value); err != nil {
		return 0, fmt.Errorf("flag --%s: %q: %w", name, value, err)
	}
	return n, nil
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
