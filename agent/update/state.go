package update

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
)

// stateKey is where the state lies in the Store, as one value: it changes whole or not at all.
const stateKey = "update"

// keyDevice and prefixGroup name the targets of assignments.
const (
	keyDevice   = "device"
	prefixGroup = "group/"
)

// state is what has to survive a restart beside the slots.
type state struct {
	// Clock is the newest signed time that was verified: the present is not before it.
	Clock time.Time `json:"clock"`
	// Floors holds the lowest version of each name that may still be installed.
	Floors map[string]uint64 `json:"floors"`
	// Targets holds the newest assignment to the device and to each of its groups.
	Targets map[string]target `json:"targets"`
	// AssignKeys are the keys that the sequence numbers in Targets are those of.
	AssignKeys []string `json:"assign_keys"`
	// Slot and Release shadow the pointer, in case it cannot be read.
	Slot    string `json:"slot"`
	Release string `json:"release"`
}

// A status is how far an assignment has been carried out.
type status string

const (
	pending status = "pending"
	done    status = "done"
	refused status = "refused" // and not to be tried again
)

// target is the newest assignment to one device or group.
type target struct {
	Sequence uint64        `json:"sequence"`
	Release  string        `json:"release"`
	Issued   time.Time     `json:"issued"`
	NotAfter time.Time     `json:"not_after"`
	Spread   time.Duration `json:"spread"`
	Status   status        `json:"status"`
	// Unsigned marks a refusal for want of a signature, which the next root may cure.
	Unsigned bool `json:"unsigned,omitempty"`
}

// inEffect returns the assignment to follow, with an empty key if there is
// none. The device's own wins over those of its groups whenever it came; of
// several groups' the one issued last wins. The order of arrival never matters.
func (s *state) inEffect(groups []string) (key string, t target) {
	if own, ok := s.Targets[keyDevice]; ok {
		return keyDevice, own
	}
	for _, group := range groups {
		g, ok := s.Targets[prefixGroup+group]
		if ok && (key == "" || g.Issued.After(t.Issued)) {
			key, t = prefixGroup+group, g
		}
	}
	return key, t
}

// expired reports whether the time of an assignment is over. A clock behind a
// time that somebody signed has not been set since the power came back; then
// nothing is refused for its age, or a board without a clock of its own could
// never be updated. What is older than the newest seen is refused by its number.
func (s *state) expired(notAfter, now time.Time) bool {
	return !now.Before(s.Clock) && now.After(notAfter)
}

// learn takes from a verified release what only ever rises.
func (s *state) learn(rel *trust.Release) {
	s.sawTime(rel.Issued)
	if rel.SecurityFloor > s.Floors[rel.Name] {
		s.Floors[rel.Name] = rel.SecurityFloor
	}
}

func (s *state) sawTime(t time.Time) {
	if t.After(s.Clock) {
		s.Clock = t.UTC()
	}
}

// sawKeys forgets all assignments once none of the keys that they were signed
// with holds the role any more. They cannot come back, and a stolen key's last
// sequence number cannot lock out its successor (TUF 1.0, section 5.3.11).
func (s *state) sawKeys(keys []string) {
	kept := slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(s.AssignKeys, k) })
	if !kept {
		clear(s.Targets)
	}
	s.AssignKeys = keys
}

// settle gives every assignment of a release its end.
func (s *state) settle(release string, end status, unsigned bool) {
	for key, t := range s.Targets {
		if t.Release == release && t.Status == pending {
			t.Status, t.Unsigned = end, unsigned
			s.Targets[key] = t
		}
	}
}

// reopen makes those assignments pending again for which again returns true.
func (s *state) reopen(again func(target) bool) {
	for key, t := range s.Targets {
		if again(t) {
			t.Status, t.Unsigned = pending, false
			s.Targets[key] = t
		}
	}
}

// loadState reads the state and raises it by what the root document and the
// slots say; a lost or damaged store costs the sequence numbers, no floor that a slot remembers.
func (u *Updater) loadState(assignKeys []string) state {
	var s state
	value, err := u.o.Store.Get(stateKey)
	if err == nil && value != nil {
		err = json.Unmarshal(value, &s)
	}
	if err != nil {
		s = state{}
		u.log(event.StoreDamaged, slog.Any("error", fmt.Errorf("update state: %w", err)))
	}
	if s.Floors == nil {
		s.Floors = make(map[string]uint64)
	}
	if s.Targets == nil {
		s.Targets = make(map[string]target)
	}
	s.sawTime(u.root.Issued())
	s.sawKeys(assignKeys)
	for _, slot := range slotNames {
		if rel, _, err := u.disk.readRelease(slot, u.root); err == nil {
			s.learn(rel)
		}
	}
	return s
}

// change applies f to the state and stores it. A store that fails does not stop
// an update: what is lost by that is protection against replay after the next
// power cut, and it is said.
func (u *Updater) change(f func(*state)) {
	u.mu.Lock()
	f(&u.state)
	value, err := json.Marshal(u.state)
	u.mu.Unlock()
	if err == nil {
		err = u.o.Store.Put(stateKey, value)
	}
	if err != nil {
		u.log(event.StoreFull, slog.Any("error", fmt.Errorf("update state: %w", err)))
	}
}
