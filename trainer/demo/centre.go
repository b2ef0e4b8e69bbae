package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
	"kedge/trainer"
	"kedge/trainer/dataset"
	"kedge/trainer/fleet"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// modelName is what the demo's only model is called.
const modelName = "demo"

// updateLimit is how long the replay waits for what comes of an alarm's labels.
const updateLimit = 2 * time.Minute

// A centre is broker and trainer, as `kedge-trainer serve` runs them, and the
// person who knows the truth.
type centre struct {
	dir      string
	trainer  *trainer.Trainer
	operator *mqtt.Session
	notices  chan fleet.Notice
	first    store.Release
	refused  int

	stop func()
	wait sync.WaitGroup
	errs [2]error // of the trainer and of the operator's session
}

// startCentre makes the keys and starts broker and trainer on a free loopback port.
func startCentre(ctx context.Context, dir string, seed uint64) (*centre, error) {
	c := &centre{dir: dir, notices: make(chan fleet.Notice, 256)}
	keys := filepath.Join(dir, "keys")
	if err := release.Init(keys, release.InitOptions{}); err != nil {
		return nil, err
	}
	var err error
	c.trainer, err = trainer.Open(ctx, trainer.Options{
		Dir: dir, Keys: keys, Listen: "127.0.0.1:0", MinLabels: labelsPerAlarm, Seed: seed, Notify: c.notify,
	})
	if err != nil {
		return nil, err
	}
	// The site's own client, beside the device: it knows the truth about samples.
	c.operator, err = mqtt.New(mqtt.Options{BrokerURL: c.trainer.BrokerURL(), ClientID: "demo-operator"})
	if err != nil {
		return nil, errors.Join(err, c.trainer.Close())
	}
	ctx, c.stop = context.WithCancel(ctx)
	c.wait.Go(func() { c.errs[0] = c.trainer.Run(ctx) })
	c.wait.Go(func() { c.errs[1] = c.operator.Run(ctx) })
	return c, nil
}

// notify keeps the notices that decide how the replay goes on.
func (c *centre) notify(n fleet.Notice) {
	switch n.Kind {
	case fleet.Committed, fleet.Refused, fleet.Rejected:
		c.notices <- n
	}
}

// addr is the broker's host:port.
func (c *centre) addr() string {
	u, err := url.Parse(c.trainer.BrokerURL())
	if err != nil {
		panic("BUG: the broker's own URL: " + err.Error())
	}
	return u.Host
}

// trainFirst trains the first model on the stream's training rows and says how good it is.
func (c *centre) trainFirst(ctx context.Context, s *Stream) (string, error) {
	table, err := s.table()
	if err != nil {
		return "", err
	}
	if _, err := c.trainer.ImportBase(ctx, modelName, table); err != nil {
		return "", err
	}
	outcome, err := c.trainer.TrainFirst(ctx, modelName)
	if err != nil {
		return "", err
	}
	c.first = outcome.Release
	if err := os.WriteFile(c.rootFile(), c.trainer.RootEnvelope(), 0o600); err != nil {
		return "", err
	}
	return fmt.Sprintf("version %d, accuracy %.3f on rows that it had not seen", outcome.Release.Version, outcome.Accuracy), nil
}

// table is the stream's training part in the trainer's form.
func (s *Stream) table() (*dataset.Table, error) {
	t := &dataset.Table{}
	for _, name := range s.Features {
		t.Columns = append(t.Columns, store.Column{Name: name, Transform: s.Transform})
	}
	for _, row := range s.Train {
		if !slices.Contains(t.Classes, row.Label) {
			t.Classes = append(t.Classes, row.Label)
		}
	}
	slices.Sort(t.Classes)
	for _, row := range s.Train {
		t.X = append(t.X, row.X...)
		t.Y = append(t.Y, slices.Index(t.Classes, row.Label))
	}
	return t, t.Validate()
}

// rootFile is the root document that devices are enrolled with.
func (c *centre) rootFile() string { return filepath.Join(c.dir, "root.json") }

// assign gives the first model to a device.
func (c *centre) assign(ctx context.Context, device string) error {
	_, err := c.trainer.Assign(ctx, store.Target{Site: site, Kind: store.TargetDevice, Name: device}, c.first.Digest)
	return err
}

// writePackage writes the first model as a file to install from.
func (c *centre) writePackage(ctx context.Context, file string) error {
	data, err := c.trainer.Registry().Package(ctx, c.first.Digest)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// label publishes the true classes of samples, as ground truth that comes late.
func (c *centre) label(ctx context.Context, ids, truths []string) error {
	labels := wire.Labels{V: wire.Version}
	for i, id := range ids {
		labels.Labels = append(labels.Labels, wire.Label{Sample: id, Label: truths[i]})
	}
	payload, err := json.Marshal(&labels)
	if err != nil {
		return err
	}
	return c.operator.Publish(ctx, wire.Truth(site, "operator"), payload, 1, false)
}

// updated waits until the device has committed an update, or until it or the
// centre has turned it down, and says which.
func (c *centre) updated(ctx context.Context, d *device) (string, error) {
	limit := time.NewTimer(updateLimit)
	defer limit.Stop()
	for {
		select {
		case n := <-c.notices:
			if n.Device != d.name {
				continue
			}
			switch n.Kind {
			case fleet.Committed:
				return fmt.Sprintf("device: model version %d in service", n.Version), nil
			default:
				c.refused++
				return "update turned down: " + n.Text, nil
			}
		case <-limit.C:
			return "", fmt.Errorf("device %s: no update and no refusal within %v", d.name, updateLimit)
		case <-d.exited:
			return "", d.failed(errors.New("it ended"))
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// close ends operator, trainer and broker.
func (c *centre) close() error {
	c.stop()
	c.wait.Wait()
	return errors.Join(c.errs[0], c.errs[1], c.trainer.Close())
}
