// Package form says what names, digests and numbers look like in topics, messages
// and signed documents. Its functions are pure; regular expressions would say the
// same, and make the device's program a hundred kilobytes larger.
package form

import "strings"

// Name reports whether s is 1 to 64 letters, digits, dots, underscores and hyphens,
// beginning with a letter or a digit.
func Name(s string) bool {
	return len(s) <= 64 && s != "" && alphanumeric(s[0]) && each(s, func(c byte) bool {
		return alphanumeric(c) || c == '.' || c == '_' || c == '-'
	})
}

// Digest reports whether s is a SHA-256 in 64 hexadecimal digits, in lower case.
func Digest(s string) bool {
	return len(s) == 64 && each(s, func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' })
}

// Number reports whether s is a decimal number of at most so many digits in its
// one form, without leading zeros.
func Number(s string, digits int) bool {
	return s != "" && len(s) <= digits && each(s, digit) && (s[0] != '0' || s == "0")
}

// Version reports whether s is three numbers that an int32 can hold, with dots
// between them.
func Version(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) == 3 && Number(parts[0], 9) && Number(parts[1], 9) && Number(parts[2], 9)
}

// Sample reports whether s is the id of a sample: device/boot/sequence.
func Sample(s string) bool {
	parts := strings.Split(s, "/")
	return len(parts) == 3 && Name(parts[0]) && Name(parts[1]) && Number(parts[2], 20)
}

func each(s string, is func(c byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func alphanumeric(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
