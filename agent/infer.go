package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"kedge/agent/drift"
	"kedge/agent/pipeline"
	"kedge/agent/source"
	"kedge/telemetry/event"
	"kedge/telemetry/wire"
)

// errModelChanged: the columns of a row were read for another model.
var errModelChanged = errors.New("the model changed while the row was read")

// answerAll reads and answers samples until the input ends or ctx does.
func (a *agent) answerAll(ctx context.Context) error {
	rejected := throttle{every: time.Minute}
	var expected *serving
	var record []byte
	for {
		now, err := a.awaitModel(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if now != expected {
			a.source.Expect(now.model.Features())
			expected = now
		}
		s, err := a.source.Next(ctx)
		if err == nil {
			record, err = a.answer(expected, s, record[:0])
		}
		var row *source.RowError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			a.inputEnded()
			return nil
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &row), errors.Is(err, errModelChanged), errors.Is(err, pipeline.ErrInput), errors.Is(err, pipeline.ErrOutput):
			if err := a.reject(err, &rejected); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// reject counts a row that is no sample. It returns an error only if the answers
// cannot be written.
func (a *agent) reject(cause error, t *throttle) error {
	a.rejected.Add(1)
	if n, ok := t.pass(a.o.Now()); ok {
		a.say(event.InputRejected, slog.Any("error", cause), slog.Uint64("count", n))
	}
	return a.written(a.answers.write(refusal{Error: cause.Error()}))
}

// written takes the outcome of writing an answer.
func (a *agent) written(err error) error {
	if errors.Is(err, errAnswersFull) {
		a.answersFailed(err)
		return nil
	}
	return err
}

// answer answers one sample: infers, keeps it in the ring, reports what it
// caused, and writes the answer. record is memory to reuse.
func (a *agent) answer(expected *serving, s source.Sample, record []byte) ([]byte, error) {
	if s.Time.IsZero() {
		s.Time = a.o.Now()
	}
	a.mu.Lock()
	now := a.serving
	if now != expected && !slices.Equal(now.model.Features(), expected.model.Features()) {
		a.mu.Unlock()
		return record, errModelChanged
	}
	got, err := a.pipe.Process(s)
	if err != nil {
		a.mu.Unlock()
		return record, err
	}
	a.inferences.Add(1)
	id := a.sampleID(got.Sequence)
	record = pipeline.AppendRecord(record, &pipeline.Record{
		Boot: a.boot, Sequence: got.Sequence, Time: got.Time, Label: got.Label, Confidence: got.Confidence, X: s.X,
	})
	a.retryBacklog()
	seq, kept := a.keep(record)
	a.collectSignal(got, id)
	sample := wire.Sample{ID: id, Time: got.Time, Label: got.Label, Confidence: got.Confidence}
	a.captureSample(sample, s.X, seq, kept)
	a.follow(got, sample, s.X, seq)
	a.mu.Unlock()
	return record, a.written(a.answers.write(answer{
		ID: id, Ref: s.Ref, Label: got.Label, Confidence: got.Confidence,
		Model: now.name, Drift: stateName(got.State, got.Muted), Alarm: got.Alarm,
	}))
}

// sampleID names a sample of this boot.
func (a *agent) sampleID(sequence uint64) string {
	return wire.SampleID{Device: a.c.Device.ID, Boot: a.boot, Sequence: sequence}.String()
}

// follow acts on the state of the watch after a sample; with mu held.
func (a *agent) follow(got pipeline.Answer, s wire.Sample, x []float32, seq uint64) {
	if got.Alarm {
		s.X = wire.PackFloat32s(x)
		a.alarm(got, s, seq)
	} else if len(got.Fired) > 0 {
		if n, ok := a.counted.pass(a.o.Now()); ok {
			a.say(event.DriftCounted, slog.String("sample", s.ID), slog.Uint64("count", n), slog.Any("fired", got.Fired))
		}
	}
	if got.Muted {
		a.maintenance.Samples++
		return
	}
	if got.State == a.serving.state {
		return
	}
	if got.State == drift.Warning {
		a.say(event.DriftWarning, slog.String("sample", s.ID), slog.Float64("confidence", got.Confidence))
	}
	a.serving.state = got.State
	a.stateChanged()
}

// inputEnded says so, and sends what was captured so far.
func (a *agent) inputEnded() {
	a.say(event.InputEnded, slog.Uint64("inferences", a.inferences.Load()-a.before.Inferences),
		slog.Uint64("rejected", a.rejected.Load()-a.before.Rejected))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endCapture()
}
