#include "textflag.h"

// func tryVLEN() int
//
// Every instruction that may be skipped is four bytes long, and leaves its
// result as it was set before.
TEXT ·tryVLEN(SB), NOSPLIT, $0-8
	MOV	$0, X10
	MOV	$0, X11
	MOV	$0, X12
	VSETVLI	X0, E32, M8, TA, MA, X10
	BEQZ	X10, done
	// vtype reads back as it was set, without vill in its sign.
	CSRRS	X0, VTYPE, X11
	MOV	$0xd3, X13
	BNE	X11, X13, none
	// A register has as many bytes as make eight of them that many elements.
	CSRRS	X0, VLENB, X12
	SLL	$1, X12
	BEQ	X10, X12, done
none:
	MOV	$0, X10
done:
	MOV	X10, ret+0(FP)
	RET

// skipIllegal has the C ABI: the context is in X12, and the program counter is
// the first of the registers in it.
TEXT skipIllegal<>(SB), NOSPLIT|NOFRAME, $0
	MOV	176(X12), X5
	ADD	$4, X5
	MOV	X5, 176(X12)
	RET

// func skipHandler() uintptr
TEXT ·skipHandler(SB), NOSPLIT, $0-8
	MOV	$skipIllegal<>(SB), X10
	MOV	X10, ret+0(FP)
	RET
