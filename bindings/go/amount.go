//go:build cgo

package hotpart

// Amount is what a detector counts in: operations as int64, or capacity in DynamoDB's units as float64, in steps of 0.5.
type Amount interface{ int64 | float64 }

// unitsMax is what fits no more into the library's integers, in halves.
const unitsMax = 1 << 62

// perUnit is how many of the library's integers make one of N: capacity is counted in halves, so that 0.5 is exact.
func perUnit[N Amount]() int64 {
	if inUnits[N]() {
		return 2
	}
	return 1
}

// inUnits tells whether N counts capacity: an int64 has no halves. The compiler knows the answer for each N.
func inUnits[N Amount]() bool {
	half := 0.5
	return N(half) != 0
}

// native is an amount as the library's integer.
func native[N Amount](argument string, amount N) (int64, error) {
	if !(amount >= 0) {
		return 0, invalid(argument, "must be positive, not %v", amount)
	}
	if inUnits[N]() && float64(amount) >= unitsMax {
		return 0, invalid(argument, "must be less than 2^62, not %v", amount)
	}
	scaled := amount * N(perUnit[N]())
	whole := int64(scaled)
	if N(whole) != scaled {
		return 0, invalid(argument, "must be a multiple of half a unit, not %v", amount)
	}
	return whole, nil
}

// amountOf is the library's integer as an amount.
func amountOf[N Amount](whole int64) N { return N(whole) / N(perUnit[N]()) }
