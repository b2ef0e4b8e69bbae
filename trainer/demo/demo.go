// Package demo shows the whole loop on one machine: a device answers a stream
// of samples, the world drifts, the device notices, reports over MQTT, some
// samples get labels, the centre trains and signs a new int8 model, and the
// device takes it. Nothing in it is played: the device is a real `kedge run`
// process, the broker and the centre are those of `kedge-trainer serve`.
//
// Run is the only call. It uses loopback and one directory, and ends all that
// it started.
package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// labelsPerAlarm is how many samples after an alarm get their true label.
const labelsPerAlarm = 100

// Options says what to replay. The zero value replays the simulated pump.
type Options struct {
	// Data is a directory of batch<N>.csv.gz files; empty means the simulated pump.
	Data string
	// Seed decides the split, the order, the simulation and the training.
	Seed uint64
	// Kedge is the device's program; empty means beside this program, else in PATH.
	Kedge string
	// Dir keeps all files of the run; empty means a temporary directory that is removed.
	Dir string
	// View gets the live view; nil means none. Terminal says that it can rewrite a line.
	View     io.Writer
	Terminal bool
}

// Run replays the stream and returns what it measured. Result.OK tells whether
// the loop closed; an error means that it could not be tried.
func Run(ctx context.Context, o Options) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kedge, err := findKedge(o.Kedge)
	if err != nil {
		return nil, err
	}
	stream := simulatePump(o.Seed)
	if o.Data != "" {
		if stream, err = readBatches(o.Data, o.Seed); err != nil {
			return nil, err
		}
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "kedge-demo-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(o.Dir)
	}
	// The device reads relative paths from the folder of its own configuration.
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if o.View == nil {
		o.View = io.Discard
	}
	r := &replay{stream: stream, kedge: kedge, dir: o.Dir, view: newView(o.View, o.Terminal, stream.count()), models: map[uint64]*tally{}}
	err = r.prepare(ctx, o.Seed)
	if err == nil {
		err = r.run(ctx)
	}
	interrupted := ctx.Err() != nil
	closing := r.close()
	switch {
	case interrupted:
		return nil, ErrInterrupted
	case err != nil:
		return nil, err // what closing says then only follows from it
	case closing != nil:
		return nil, closing
	}
	return r.result(), nil
}

// ErrInterrupted: the context ended before the stream did.
var ErrInterrupted = errors.New("demo: interrupted")

func (s *Stream) count() int {
	n := 0
	for _, st := range s.Stages {
		n += len(st.Rows)
	}
	return n
}

// unlearnable counts the rows of classes that the training part lacks.
func (s *Stream) unlearnable() (rows int, classes []string) {
	known := make(map[string]bool)
	for _, row := range s.Train {
		known[row.Label] = true
	}
	for _, st := range s.Stages {
		for _, row := range st.Rows {
			if known[row.Label] {
				continue
			}
			rows++
			if !slices.Contains(classes, row.Label) {
				classes = append(classes, row.Label)
			}
		}
	}
	return rows, classes
}

// A replay is one run of the demo.
type replay struct {
	stream *Stream
	kedge  string
	dir    string
	view   *view

	centre  *centre
	meter   *meter
	device  *device // gets updates
	control *device // keeps the first model, without a network

	stages, without []tally
	until, after    tally // drifted samples before and after the first update
	models          map[uint64]*tally
	order           []uint64 // versions as they came into service
	toAlarm         *int
	labels          int
	labeling        []string // ids and truths of the samples that get labels; nil if none do
	truths          []string
	bytesBefore     int64
	bytes           int64
}

// prepare trains the first model, enrolls both devices and puts the model on them.
func (r *replay) prepare(ctx context.Context, seed uint64) error {
	r.view.event("data: %s, %d rows to learn from, %d to answer", r.stream.Name, len(r.stream.Train), r.stream.count())
	if rows, classes := r.stream.unlearnable(); rows > 0 {
		r.view.event("note: %d rows are of classes that are not among those to learn from: %s", rows, strings.Join(classes, ", "))
	}
	var err error
	if r.centre, err = startCentre(ctx, filepath.Join(r.dir, "centre"), seed); err != nil {
		return err
	}
	first, err := r.centre.trainFirst(ctx, r.stream)
	if err != nil {
		return err
	}
	r.view.event("centre: first model trained, quantized to int8 and signed: %s", first)
	if r.meter, err = newMeter(ctx, r.centre.addr()); err != nil {
		return err
	}
	if r.device, err = r.enroll(ctx, "device", "tcp://"+r.meter.addr()); err != nil {
		return err
	}
	if err := r.centre.assign(ctx, r.device.name); err != nil {
		return err
	}
	if _, err := r.centre.updated(ctx, r.device); err != nil {
		return err
	}
	r.view.event("device: first model downloaded, verified and in service")
	return r.prepareControl(ctx)
}

// prepareControl installs the first model from a file on a device without a network.
func (r *replay) prepareControl(ctx context.Context) error {
	file := filepath.Join(r.dir, "first.kedge")
	if err := r.centre.writePackage(ctx, file); err != nil {
		return err
	}
	state := filepath.Join(r.dir, "control")
	if err := r.enrollState(ctx, "control", state); err != nil {
		return err
	}
	if err := runKedge(ctx, r.kedge, "install", file, "--state", state); err != nil {
		return err
	}
	var err error
	r.control, err = startDevice(ctx, r.kedge, "control", state, "")
	return err
}

func (r *replay) enroll(ctx context.Context, name, broker string) (*device, error) {
	state := filepath.Join(r.dir, name)
	if err := r.enrollState(ctx, name, state); err != nil {
		return nil, err
	}
	return startDevice(ctx, r.kedge, name, state, broker)
}

func (r *replay) enrollState(ctx context.Context, name, state string) error {
	return runKedge(ctx, r.kedge, "enroll", "--state", state, "--site", site, "--device", name, "--root", r.centre.rootFile())
}

// run replays all stages through both devices.
func (r *replay) run(ctx context.Context) error {
	r.bytesBefore = r.meter.bytes.Load()
	r.stages = make([]tally, len(r.stream.Stages))
	r.without = make([]tally, len(r.stream.Stages))
	drifted := 0
	for i, st := range r.stream.Stages {
		r.view.event("stage: %s, %d samples", st.Name, len(st.Rows))
		for _, row := range st.Rows {
			if i > 0 {
				drifted++
			}
			if err := r.step(ctx, i, row, drifted); err != nil {
				return err
			}
		}
	}
	return nil
}

// step answers one row on both devices. The control's answer is read in
// lock-step too, so that both have seen the same at any time.
func (r *replay) step(ctx context.Context, stage int, row Row, drifted int) error {
	a, err := r.device.infer(row.X)
	if err != nil {
		return err
	}
	c, err := r.control.infer(row.X)
	if err != nil {
		return err
	}
	r.stages[stage].add(a, row.Label)
	r.without[stage].add(c, row.Label)
	if r.models[a.Model.Version] == nil {
		r.models[a.Model.Version] = &tally{}
		r.order = append(r.order, a.Model.Version)
	}
	r.models[a.Model.Version].add(a, row.Label)
	switch {
	case drifted > 0 && len(r.order) == 1:
		r.until.add(a, row.Label)
	case drifted > 0:
		r.after.add(a, row.Label)
	}
	r.view.answered(r.stream.Stages[stage].Name, a, row.Label)
	if r.labeling != nil {
		return r.label(ctx, a.ID, row.Label)
	}
	if a.Alarm {
		if drifted > 0 && r.toAlarm == nil {
			r.toAlarm = &drifted
		}
		r.view.event("device: DRIFT after %d samples of this stage; the next %d get labels", r.stages[stage].n, labelsPerAlarm)
		r.labeling = make([]string, 0, labelsPerAlarm)
	}
	return nil
}

// label gives a sample its true class, as an operator or a laboratory would,
// and after the last one waits for what the centre makes of them.
func (r *replay) label(ctx context.Context, id, truth string) error {
	r.labeling = append(r.labeling, id)
	r.truths = append(r.truths, truth)
	r.labels++
	if len(r.labeling) < labelsPerAlarm {
		return nil
	}
	ids, truths := r.labeling, r.truths
	r.labeling, r.truths = nil, nil
	if err := r.centre.label(ctx, ids, truths); err != nil {
		return err
	}
	r.view.event("centre: %d labels sent, waiting for an update", len(ids))
	outcome, err := r.centre.updated(ctx, r.device)
	if err != nil {
		return err
	}
	r.view.event("%s", outcome)
	return nil
}

// close ends devices, meter and centre, in that order.
func (r *replay) close() error {
	var errs []error
	for _, d := range []*device{r.device, r.control} {
		if d != nil {
			errs = append(errs, d.stop())
		}
	}
	if r.meter != nil {
		r.meter.close()
		r.bytes = r.meter.bytes.Load() - r.bytesBefore
	}
	if r.centre != nil {
		errs = append(errs, r.centre.close())
	}
	return errors.Join(errs...)
}

func (r *replay) result() *Result {
	res := &Result{
		Data: r.stream.Name, Simulated: r.stream.Simulated, SamplesToAlarm: r.toAlarm, LabelsUsed: r.labels,
		BytesOverAir: r.bytes, Seconds: time.Since(r.view.started).Seconds(), Refused: r.centre.refused,
	}
	var with, without tally
	for i, st := range r.stream.Stages {
		s := r.stages[i]
		res.Stages = append(res.Stages, StageResult{
			Name: st.Name, Samples: s.n, Accuracy: s.accuracy(), AccuracyWithoutUpdates: r.without[i].accuracy(),
			MeanConfidence: s.meanConfidence(), Alarms: s.alarms,
		})
		if i > 0 {
			with.merge(s)
			without.merge(r.without[i])
		}
	}
	for _, v := range r.order {
		res.Models = append(res.Models, ModelResult{Version: v, Samples: r.models[v].n, Accuracy: r.models[v].accuracy()})
	}
	res.Updates = len(r.order) - 1
	res.AccuracyBefore = r.stages[0].accuracy()
	res.FalseAlarmsBeforeDrift = r.stages[0].alarms
	res.AccuracyDrifted = with.accuracy()
	res.AccuracyDriftedWithoutUpdates = without.accuracy()
	res.AccuracyUntilUpdate = r.until.accuracy()
	if r.after.n > 0 {
		after := r.after.accuracy()
		res.AccuracyAfterUpdate = &after
	}
	res.OK = res.FalseAlarmsBeforeDrift == 0 && res.SamplesToAlarm != nil && res.Updates > 0 &&
		res.AccuracyDrifted > res.AccuracyDriftedWithoutUpdates
	return res
}
