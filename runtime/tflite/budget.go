package tflite

import "fmt"

// Budget bounds what loading a file may allocate beside the arena, and how many
// bytes of constants it may go through. It starts with a multiple of the file's
// length and is spent before every allocation whose size the file decides.
type Budget struct {
	left     int64
	readable int64
}

// The budget is half of what the package promises, so that the bookkeeping
// around each allocation (slice headers, rounding to size classes) has room.
const (
	budgetPerByte = 8
	budgetBase    = 512 << 10
)

// NewBudget is the budget for a file of the given length.
func NewBudget(fileBytes int) *Budget {
	return &Budget{
		left:     int64(fileBytes)*budgetPerByte + budgetBase,
		readable: int64(fileBytes)*budgetPerByte + readableBase,
	}
}

// readableBase is how many bytes of constants preparation may go through, beside
// a multiple of the file. Operators may share constants, as those of an unrolled
// recurrent layer do, but thousands of a hostile file could share most of it.
const readableBase = 64 << 20

// Read takes n bytes of a constant that are gone through, or fails with
// ErrBudget.
func (b *Budget) Read(n int) error {
	if int64(n) > b.readable {
		return fmt.Errorf("%w: its operators share too many constants", ErrBudget)
	}
	b.readable -= int64(n)
	return nil
}

// Spend takes n elements of size bytes, or fails with ErrBudget.
func (b *Budget) Spend(n, size int) error {
	need := int64(n) * int64(size)
	if n < 0 || need > b.left {
		return fmt.Errorf("%w: %d bytes more", ErrBudget, need)
	}
	b.left -= need
	return nil
}

// Grant is Spend for what can be done without.
func (b *Budget) Grant(n int) bool { return b.Spend(n, 1) == nil }

// SpendSlab is Spend for one block of n bytes. A large one is allocated almost as
// it is, so that it takes only little more than the half of the promise that the
// budget counts: 9/16, for the allocator rounds up to pages.
func (b *Budget) SpendSlab(n int) error {
	const large = 64 << 10
	cost := n
	if n >= large {
		cost = n / 16 * 9
	}
	if b.Spend(cost, 1) != nil {
		return fmt.Errorf("%w: %d bytes more", ErrBudget, n)
	}
	return nil
}
