package fixed

// Logistic is 1/(1+e^-a) for a in Q4.27, as Q0.31 (gemmlowp's logistic): the
// value for the magnitude of a, subtracted from 1 where a is negative.
func Logistic(a int32) int32 {
	switch {
	case a == 0:
		return 1 << 30
	case a > 0:
		return onePlusReciprocal(exp(-a, 4))
	}
	return one0 - onePlusReciprocal(exp(a, 4))
}

// Tanh is the hyperbolic tangent of a in Q4.27, as Q0.31 (gemmlowp's tanh):
// (1−e)/(1+e) with e = e^(−2|a|), and a's sign.
func Tanh(a int32) int32 {
	switch {
	case a == 0:
		return 0
	case a > 0:
		return tanhMagnitude(-a)
	}
	return -tanhMagnitude(a)
}

// tanhMagnitude is |tanh a| for a < 0 in Q4.27. Doubling a moves the binary
// point, so that the same bits in Q5.26 are the exponent.
func tanhMagnitude(a int32) int32 {
	// (1−e)/(1+e) = 2/(1+e) − 1
	return MulPow2(halfReciprocal(exp(a, 5))-one2, 2)
}
