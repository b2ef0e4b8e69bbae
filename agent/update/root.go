package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
)

// maxHeld root documents wait for those before them, retained topics coming in any order.
const maxHeld = 16

// rootDocument returns the content of an envelope without verifying it.
func rootDocument(envelope []byte) (*trust.RootDocument, error) {
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		return nil, err
	}
	var doc trust.RootDocument
	if err := json.Unmarshal(payload, &doc); err != nil {
		return nil, fmt.Errorf("root: %w: %w", trust.ErrMalformed, err)
	}
	return &doc, nil
}

// gotRoot takes one root document and then follows the chain as far as it goes.
// Documents not newer than the present one are the normal case and no event.
func (u *Updater) gotRoot(envelope []byte) {
	doc, err := rootDocument(envelope)
	if err != nil {
		u.refuseRoot(envelope, err)
		return
	}
	if doc.Version <= u.root.Version() {
		return
	}
	if len(u.held) == maxHeld {
		u.held = u.held[1:]
	}
	u.held = append(u.held, envelope)
	for u.nextRoot() {
	}
}

// nextRoot applies the root document that follows the present one, if it is
// there. Of several that claim the number the first that verifies is taken.
func (u *Updater) nextRoot() bool {
	for i, envelope := range u.held {
		doc, err := rootDocument(envelope)
		if err != nil || doc.Version != u.root.Version()+1 {
			continue
		}
		next, err := u.root.Next(envelope)
		if err != nil {
			u.held = slices.Delete(u.held, i, i+1)
			u.refuseRoot(envelope, err)
			return true
		}
		// Until it is on disk it is not in force: what it verifies must verify after a restart too.
		if err := replaceFile(u.o.Files, u.disk.path(fileRoot), envelope); err != nil {
			u.log(event.StoreFull, slog.Any("error", storageError(u.o.Dir, err)))
			return false
		}
		u.adoptRoot(next, doc.Roles[trust.RoleAssign].KeyIDs)
		return true
	}
	return false
}

func (u *Updater) adoptRoot(next *trust.Root, assignKeys []string) {
	u.mu.Lock()
	u.root = next
	u.mu.Unlock()
	u.held = slices.DeleteFunc(u.held, func(envelope []byte) bool {
		doc, err := rootDocument(envelope)
		return err != nil || doc.Version <= next.Version()
	})
	u.change(func(s *state) {
		s.sawTime(next.Issued())
		s.sawKeys(assignKeys)
		s.reopen(func(t target) bool { return t.Unsigned })
	})
	u.log(event.RootChanged, slog.Uint64("version", next.Version()))

	// The broker will not send again what nobody could verify then.
	clear(u.told)
	unknown := u.unknown
	u.unknown = nil
	for _, envelope := range unknown {
		u.gotAssign(envelope)
	}
	u.follow()
}

func (u *Updater) refuseRoot(envelope []byte, err error) {
	if u.tellOnce(envelope, err) {
		u.log(event.RootRefused, slog.Any("error", err), slog.Bool("signature", errors.Is(err, trust.ErrSignature)))
	}
}
