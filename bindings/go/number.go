package hotpart

import (
	"strconv"
	"strings"
)

// What DynamoDB's numbers have: significant digits at most, and the powers of ten that their first digit stands for.
const (
	digitsMax   = 38
	exponentMin = -130
	exponentMax = 125
)

// NumberKey returns the key that a number, in DynamoDB's text, is counted as: 1, 1.0 and 1E0 are "1", and -0 is "0".
// (Integers of Go's need no such thing: strconv writes them in that way.)
func NumberKey(number string) (string, error) {
	key, ok := canonical(number)
	if !ok {
		return "", invalid("number", "must be one of DynamoDB's, of %d digits and 1E-130 to 9.99E+125, not %.80q", digitsMax, number)
	}
	return key, nil
}

func canonical(number string) (key string, ok bool) {
	rest, negative := strings.CutPrefix(number, "-")
	if !negative {
		rest = strings.TrimPrefix(rest, "+")
	}
	exponent := 0
	if at := strings.IndexAny(rest, "eE"); at >= 0 {
		var err error
		if exponent, err = strconv.Atoi(rest[at+1:]); err != nil || exponent < -10_000 || exponent > 10_000 {
			return "", false
		}
		rest = rest[:at]
	}
	whole, fraction, _ := strings.Cut(rest, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	// The number is 0.DIGITS times ten to the power of point.
	point := len(whole) + exponent
	trimmed := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	digits = strings.TrimRight(trimmed, "0")
	if digits == "" {
		return "0", true
	}
	if len(digits) > digitsMax || point-1 < exponentMin || point-1 > exponentMax {
		return "", false
	}
	key = plain(digits, point)
	if negative {
		key = "-" + key
	}
	return key, true
}

// plain writes 0.DIGITS times ten to the power of point without an exponent.
func plain(digits string, point int) string {
	switch {
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits))
	default:
		return digits[:point] + "." + digits[point:]
	}
}
