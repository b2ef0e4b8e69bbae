package inputs

import (
	"math"
	"testing"
)

// binomialTail is P(Bin(n, p) >= k) by summation.
func binomialTail(n, k int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestDivergenceBoundsBinomial(t *testing.T) {
	for _, n := range []int{16, 64, 512} {
		for _, p := range []float64{0.001, 0.03, 0.3} {
			for k := int(p*float64(n)) + 1; k <= n; k += 3 {
				bound := math.Exp(-float64(n) * divergence(float64(k)/float64(n), p))
				if exact := binomialTail(n, k, p); exact > bound*(1+1e-9) {
					t.Errorf("n %d p %v k %d: got the bound %v, below the exact %v", n, p, k, bound, exact)
				}
			}
		}
	}
	for _, c := range []struct{ a, p, want float64 }{{0, 0.5, math.Ln2}, {1, 0.5, math.Ln2}, {0.2, 0.2, 0}, {0.1, 0, math.Inf(1)}, {1, 1, 0}} {
		if got := divergence(c.a, c.p); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("divergence(%v, %v): got %v, want %v", c.a, c.p, got, c.want)
		}
	}
}

func TestUpperRate(t *testing.T) {
	for _, c := range []struct{ k, n, x float64 }{{0, 1000, 5}, {3, 500, 8}, {499, 500, 8}, {0, 1, 5}} {
		got := upperRate(c.k, c.n, c.x)
		// At the limit so few occurrences are as improbable as was said.
		if d := c.n * divergence(c.k/c.n, got); got <= c.k/c.n || got > 1 || math.Abs(d-c.x) > 1e-6 {
			t.Errorf("upperRate(%v, %v, %v): got %v, with evidence %v", c.k, c.n, c.x, got, d)
		}
	}
	if got := upperRate(0, 0, 5); got != 1 {
		t.Errorf("without trials: got %v, want 1", got)
	}
}

// TestOutsideRate compares with the tail of Beta(2, n-1), which is that of a binomial:
// P(Beta(2, n-1) > p) = P(Bin(n, p) <= 1).
func TestOutsideRate(t *testing.T) {
	for _, n := range []int{30, 100, 4000} {
		for _, x := range []float64{3, 6, 12} {
			p := outsideRate(float64(n), x)
			if got := math.Exp(float64(n)*math.Log1p(-p)) + float64(n)*p*math.Exp(float64(n-1)*math.Log1p(-p)); got > math.Exp(-x) {
				t.Errorf("n %d: the rate %v is exceeded with probability %v, want at most %v", n, p, got, math.Exp(-x))
			}
		}
	}
	if got := outsideRate(2, 5); got != 1 {
		t.Errorf("two values: got %v, want 1", got)
	}
}

func TestChiSquare(t *testing.T) {
	// Two degrees of freedom: the tail is exp(-c/2).
	for _, x := range []float64{1, 5, 20} {
		if got := chiSquareTail(2, 1, x); got < 2*x {
			t.Errorf("tail of exp(-%v): got %v, want at least the exact %v", x, got, 2*x)
		}
	}
	// Tables at 5 % and 95 %.
	for _, c := range []struct{ dof, low, high float64 }{{3, 0.352, 7.815}, {7, 2.167, 14.067}, {61, 44.038, 80.232}} {
		if got := c.dof * chiSquareQuantile(c.dof, -1.645); math.Abs(got/c.low-1) > 0.08 {
			t.Errorf("5 %% of %v: got %v, want %v", c.dof, got, c.low)
		}
		if got := c.dof * chiSquareQuantile(c.dof, 1.645); math.Abs(got/c.high-1) > 0.03 {
			t.Errorf("95 %% of %v: got %v, want %v", c.dof, got, c.high)
		}
	}
}
