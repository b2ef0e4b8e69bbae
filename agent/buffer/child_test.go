package buffer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childMain is what the test binary does as a child process; mode says what.
func childMain(mode string) int {
	dir := os.Getenv("KEDGE_BUFFER_DIR")
	run, ok := map[string]func(dir string) error{
		"work":   childWork,
		"fsize":  childFileSize,
		"faults": childFaults,
	}[mode]
	if !ok {
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		return 2
	}
	if err := run(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child prepares the test binary to run in a mode, under a wrapper if there is one.
func child(t *testing.T, mode, dir string, wrapper ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrapper, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "KEDGE_BUFFER_CHILD="+mode, "KEDGE_BUFFER_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// childWork uses every store until it is killed and says what it was promised. Its
// messages count up from the largest one in the outbox.
func childWork(dir string) error {
	b, err := Open(dir, Options{MaxSize: 1 << 20, BatchRecords: 16, BatchAge: 5 * time.Millisecond, Outbox: Limit{Records: 100}})
	if err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	start, err := strconv.Atoi(os.Getenv("KEDGE_BUFFER_START"))
	if err != nil {
		return err
	}
	for i := start; ; i++ {
		for range 7 {
			if _, err := b.Ring.Append(sample(b.Ring.Next())); err != nil && !errors.Is(err, ErrFull) {
				return err
			}
		}
		fmt.Println("next", b.Ring.Next())
		if err := b.Outbox.Put(Message{Class: ClassReport, Topic: "t", Payload: []byte(strconv.Itoa(i))}); err != nil {
			return err
		}
		fmt.Println("put", i)
		// Twenty stay, so that a kill can lose some; what the kill takes of the
		// acknowledgements comes on top and stays below the limit of 100.
		messages, err := b.Outbox.Next(100, nil)
		if err != nil {
			return err
		}
		for _, m := range messages[:max(len(messages)-20, 0)] {
			fmt.Println("ack", string(m.Payload))
			if err := b.Outbox.Ack(m.ID); err != nil {
				return err
			}
		}
	}
}

// A process that is killed at any moment has lost nothing that it was promised, and
// all its records are accounted for.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(5, 6))
	promised := map[string]bool{} // by message: must be there
	start, seen, puts := 0, uint64(0), 0
	kills := 8
	if os.Getenv("KEDGE_ACCEPT") == "1" {
		kills = 200
	}
	for range kills {
		cmd := child(t, "work", dir)
		cmd.Env = append(cmd.Env, fmt.Sprint("KEDGE_BUFFER_START=", start))
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(50+random.IntN(200)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() >= 0 {
			t.Fatalf("child ended by itself: %v", err)
		}
		lines := bufio.NewScanner(&out)
		for lines.Scan() {
			verb, arg, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(arg)
			if err != nil {
				continue // the last line may be cut
			}
			switch verb {
			case "put":
				promised[arg] = true
				puts++
				start = n + 2 // the one under way may be there, too
			case "ack":
				delete(promised, arg)
			case "next":
				if uint64(n) < seen {
					t.Errorf("sample numbers went back from %d to %d", seen, n)
				}
				seen = uint64(n)
			}
		}
		b := open(t, dir, small)
		sound(t, b)
		if r := b.Recovered(); len(r) != 0 {
			t.Errorf("got %+v, want nothing damaged", r)
		}
		there := names(next(t, b, 1000, nil))
		for m := range promised {
			if !slices.Contains(there, m) {
				t.Errorf("message %s was stored and is gone", m)
			}
		}
		records, err := b.Ring.Read(0, ^uint64(0))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if !bytes.Equal(r.Payload, sample(r.Seq)) {
				t.Errorf("sample %d: got %q", r.Seq, r.Payload)
			}
		}
		if got := b.Ring.Next(); got < seen {
			t.Errorf("next number %d, want at least %d", got, seen)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d messages stored", kills, puts)
	if puts == 0 {
		t.Error("the child stored nothing: the test tests nothing")
	}
}

// childFileSize fills the disk as far as the kernel lets it and frees it again.
func childFileSize(dir string) error {
	b, err := Open(dir, Options{MaxSize: 4 << 20, BatchAge: time.Hour, BatchRecords: maxPending})
	if err != nil {
		return err
	}
	if err := b.State.Put("before", []byte("v")); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	old := limit.Cur
	limit.Cur = 512 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	stored, err := fill(b)
	if err != nil {
		return err
	}
	// Samples wait, and their number is not forgotten.
	for range 100 {
		if _, err := b.Ring.Append(make([]byte, 5000)); err != nil {
			return fmt.Errorf("append on a full disk: %w", err)
		}
	}
	if err := b.Flush(context.Background()); !errors.Is(err, ErrFull) {
		return fmt.Errorf("flush on a full disk: got %v, want ErrFull", err)
	}
	if err := sameMessages(b, stored); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	limit.Cur = old
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := b.Outbox.Put(Message{Class: ClassReport, Topic: "t", Payload: []byte("after")}); err != nil {
		return fmt.Errorf("put after space was freed: %w", err)
	}
	c := b.Counters()
	if c.Ring.Queued != 100 || c.Ring.Dropped != 0 || c.OutboxTotal().Dropped != 1 || c.OutboxTotal().Queued != uint64(stored)+1 {
		return fmt.Errorf("after space was freed: %+v", c)
	}
	return errors.Join(b.Check(), b.Close())
}

// fill puts messages until there is no room and returns how many it put.
func fill(b *Buffer) (int, error) {
	for stored := range 100000 {
		err := b.Outbox.Put(Message{Class: ClassReport, Topic: "t", Payload: make([]byte, 3000)})
		if errors.Is(err, ErrFull) {
			if stored == 0 {
				return 0, errors.New("nothing was stored before the disk was full")
			}
			return stored, nil
		}
		if err != nil {
			return stored, err
		}
	}
	return 0, errors.New("the disk never became full")
}

// sameMessages checks that exactly n messages are in the outbox.
func sameMessages(b *Buffer, n int) error {
	messages, err := b.Outbox.Next(n+1, nil)
	if err == nil && len(messages) != n {
		err = fmt.Errorf("%d messages, want %d", len(messages), n)
	}
	return err
}

func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "fsize", dir)
	if err := cmd.Run(); err != nil {
		t.Fatalf("child: %v", err)
	}
	b := open(t, dir, Options{MaxSize: 4 << 20})
	sound(t, b)
	if r := b.Recovered(); len(r) != 0 {
		t.Errorf("got %+v, want nothing damaged", r)
	}
}

// A real file system without room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("kedge-test", dir, "tmpfs", 0, "size=600k"); err != nil {
		t.Skipf("cannot mount a small tmpfs (%v): a full disk is tested by RLIMIT_FSIZE only", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	}()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	o := small
	o.MaxSize = 4 << 20
	b, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := fill(b)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, b)
	if err := b.State.Put("k", make([]byte, 100<<10)); !errors.Is(err, ErrFull) {
		t.Errorf("State.Put on a full disk: got %v, want ErrFull", err)
	}
	if err := sameMessages(b, stored); err != nil {
		t.Error(err)
	}
	// A full disk can be opened, too.
	if err := b.Close(); err != nil && !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if b, err = Open(dir, o); err != nil {
		t.Fatalf("Open on a full disk: %v", err)
	}
	if err := sameMessages(b, stored); err != nil {
		t.Error(err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := put(t, b, ClassReport, "after"); err != nil {
		t.Errorf("Put after space was freed: %v", err)
	}
	sound(t, b)
	if r := b.Recovered(); len(r) != 0 {
		t.Errorf("got %+v, want nothing damaged", r)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// MaxSize holds, whatever the limits say, and deleting makes room again.
func TestMaxSize(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	b.queue.o.Outbox = Limit{Bytes: 1 << 30} // beyond what Options allow
	stored, err := fill(b)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, QueueFile)); err != nil || info.Size() > small.MaxSize {
		t.Errorf("got %d bytes, %v, want at most %d", info.Size(), err, small.MaxSize)
	}
	sound(t, b)
	messages := next(t, b, 20, nil)
	for _, m := range messages {
		if err := b.Outbox.Ack(m.ID); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, b)
	for i := range 10 {
		if err := put(t, b, ClassReport, "again"); err != nil {
			t.Errorf("Put %d after deleting: %v", i, err)
		}
	}
	if err := sameMessages(b, stored-10); err != nil {
		t.Error(err)
	}
	sound(t, b)
}

// childFaults stores while the kernel refuses some writes, and says what it was told.
func childFaults(dir string) error {
	b, err := Open(dir, Options{MaxSize: 4 << 20, BatchAge: time.Hour, BatchRecords: maxPending})
	if err != nil {
		return err
	}
	for i := range 150 {
		if _, err := b.Ring.Append(sample(b.Ring.Next())); err != nil {
			return err
		}
		err := b.Outbox.Put(Message{Class: ClassReport, Topic: "t", Payload: []byte(strconv.Itoa(i))})
		switch {
		case err == nil:
			fmt.Println("put", i)
		case errors.Is(err, ErrUncertain):
			fmt.Println("uncertain", i)
		default:
			fmt.Println("refused", i)
		}
		if err != nil {
			if err := b.Check(); err != nil {
				return fmt.Errorf("after %d: %w", i, err)
			}
		}
	}
	if c := b.Counters(); c.Ring.Produced != 150 || c.OutboxTotal().Produced != 150 {
		return fmt.Errorf("got %+v, want 150 samples and messages", c)
	}
	_ = b.Close() // may fail, too
	return nil
}

// A disk that fails now and then: an error never hides a stored message, and success
// never a lost one.
func TestFailingDisk(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: commits on a failing disk are not tested")
	}
	if err := exec.Command(strace, "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("strace may not trace (%v): commits on a failing disk are not tested", err)
	}
	for _, inject := range []string{"fdatasync:error=EIO:when=9+7", "fdatasync:error=EIO:when=10+6", "pwrite64:error=ENOSPC:when=30+11", "pwrite64:error=EIO:when=31+5"} {
		t.Run(inject, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir, Options{MaxSize: 4 << 20}) // the files are there before the faults
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			call, _, _ := strings.Cut(inject, ":")
			cmd := child(t, "faults", dir, strace, "-f", "-o", os.DevNull, "-e", "trace="+call, "-e", "inject="+inject)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("child: %v", err)
			}
			b = open(t, dir, Options{MaxSize: 4 << 20})
			sound(t, b)
			there := names(next(t, b, 1000, nil))
			verbs := map[string]int{}
			for line := range strings.Lines(string(out)) {
				verb, n, _ := strings.Cut(strings.TrimSpace(line), " ")
				if got := slices.Contains(there, n); got != (verb != "refused") {
					t.Errorf("message %s: child said %q, the outbox has it: %t", n, verb, got)
				}
				verbs[verb]++
			}
			t.Logf("of 150 messages: %v", verbs)
			if verbs["put"] == 0 || verbs["put"] == 150 {
				t.Error("the faults missed: the test tests nothing")
			}
		})
	}
}
