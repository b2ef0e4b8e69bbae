package pipeline

import (
	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
)

// inputWatch is the watch over the inputs before standardization. While it learns a
// reference of its own there is a builder and no monitor.
type inputWatch struct {
	options inputs.Options
	columns []inputs.Column
	monitor *inputs.Monitor
	builder *inputs.Builder
	learned int
	local   bool // the reference was learned here
}

func newInputWatch(ref *inputs.Reference, arl float64) (*inputWatch, error) {
	w := &inputWatch{options: inputs.Options{ARL: arl}}
	for _, f := range ref.Features {
		w.columns = append(w.columns, inputs.Column{Name: f.Name, Type: f.Type})
	}
	var err error
	w.monitor, err = inputs.New(ref, w.options)
	return w, err
}

// learn begins to collect a reference.
func (w *inputWatch) learn() {
	w.monitor, w.builder, w.learned, w.local = nil, inputs.NewBuilder(w.columns), 0, true
}

// update takes a sample and reports whether a feature moved at it.
func (w *inputWatch) update(row []float64) (alarm bool, state drift.State) {
	if w.monitor == nil {
		w.collect(row)
		return false, w.state()
	}
	r, err := w.monitor.Update(row)
	if err != nil {
		panic("BUG: " + err.Error()) // the model has taken as many features
	}
	return r.Alarm, r.State
}

// collect adds a row to the reference to be, and puts it in force when it is full.
func (w *inputWatch) collect(row []float64) {
	if err := w.builder.Add(row); err != nil {
		panic("BUG: " + err.Error())
	}
	if w.learned++; w.learned < inputs.FullReference {
		return
	}
	ref, err := w.builder.Reference()
	if err == nil {
		w.monitor, err = inputs.New(ref, w.options)
	}
	if err != nil {
		panic("BUG: " + err.Error()) // a full reference, and options that were checked
	}
	w.builder = nil
}

func (w *inputWatch) state() drift.State {
	if w.monitor == nil {
		return drift.Learning
	}
	return w.monitor.State()
}

func (w *inputWatch) weak() bool {
	return w.local || w.monitor.Reference().Weak()
}

// An InputReport tells how the inputs stand.
type InputReport struct {
	ARL        float64 // run length asked for, all features and tests together
	ReferenceN int64
	Weak       bool
	Moved      []inputs.Movement  // the most important first
	Histograms []inputs.Histogram // by feature, of the present window
}

// report is nil while a reference is being learned.
func (w *inputWatch) report() *InputReport {
	if w.monitor == nil {
		return nil
	}
	r := &InputReport{ARL: w.options.ARL, ReferenceN: w.monitor.Reference().N, Weak: w.weak(), Moved: w.monitor.Moved()}
	for i := range w.columns {
		r.Histograms = append(r.Histograms, w.monitor.Histogram(i))
	}
	return r
}
