package main

// peakSums are the sums of a round of the peak loop: enough of them that none
// waits for itself.
const peakSums = 16

// arm64Peak writes a loop of nothing but the instructions that a set multiplies
// and adds by. one writes those that are 16 products.
func arm64Peak(a *arm64, name string, one func(a *arm64, sum int)) {
	a.labels = 0
	a.line("\n// func %s(n int)", name)
	a.line("//\n// n rounds of %d times 16 products.", peakSums)
	a.line("TEXT ·%s(SB), NOSPLIT, $0-8", name)
	a.op("MOVD n+0(FP), R0")
	for v := range 32 {
		a.op("VMOVI $0, V%d.B16", v)
	}
	round := a.label("round")
	a.at(round)
	for i := range peakSums {
		one(a, i)
	}
	a.flush()
	a.op("SUBS $1, R0")
	a.op("BNE %s", round)
	a.op("RET")
}

func dotPeak(a *arm64, sum int) { a.v("sdot.0", sum, 30, 31) }

func mullPeak(a *arm64, sum int) {
	product := 16 + sum%8
	a.v("smull", product, 30, 31)
	a.v("smlal2", product, 30, 31)
	a.v("sadalp", sum, product)
}
