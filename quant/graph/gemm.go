package graph

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// The largest product that gonum's Gemm computes in the caller's goroutine:
// from four blocks of 64 × 64 results on it starts goroutines. Callers run one
// Executor per core, so more of them would only get in each other's way; and
// blocks of this size keep a panel of b in the cache.
const (
	gemmRows = 64
	gemmCols = 192
)

// gemm adds op(a)·op(b) to c, where op is the transpose or nothing.
func gemm(ta, tb blas.Transpose, a, b, c blas32.General) {
	for i := 0; i < c.Rows; i += gemmRows {
		rows := min(gemmRows, c.Rows-i)
		for j := 0; j < c.Cols; j += gemmCols {
			cols := min(gemmCols, c.Cols-j)
			blas32.Gemm(ta, tb, 1, side(a, ta == blas.NoTrans, i, rows), side(b, tb == blas.Trans, j, cols), 1,
				blas32.General{Rows: rows, Cols: cols, Stride: c.Stride, Data: c.Data[i*c.Stride+j:]})
		}
	}
}

// side is the part of m that has n rows from i on, or columns.
func side(m blas32.General, rows bool, i, n int) blas32.General {
	if rows {
		return blas32.General{Rows: n, Cols: m.Cols, Stride: m.Stride, Data: m.Data[i*m.Stride:]}
	}
	return blas32.General{Rows: m.Rows, Cols: n, Stride: m.Stride, Data: m.Data[i:]}
}

// dense is a matrix stored without gaps.
func dense(data []float32, rows, cols int) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
}
