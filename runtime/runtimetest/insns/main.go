// Insns counts the instructions of one inference on processors that are not at
// hand: a cross-built kedge runs under QEMU's user-mode emulators with a plugin
// that counts (plugin/count.c). It prints a row for every model, a column for
// every processor, in thousands of instructions. "make insns" runs it.
//
//	insns [-update] [-models REGEXP] [-cpus REGEXP]
//
// The count of an inference is (count(2N) - count(N)) / N of "kedge bench
// --warmup 0 --n N", so loading the model and starting the program are not in
// it, but all operators are. It is the same in every run within about 0.3 %, on
// whatever machine and under whatever load: the scheduler's work is the
// difference. It says nothing about time: caches and pipelines are not in it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

func main() {
	var o options
	flag.StringVar(&o.conformance, "conformance", "../shared/conformance", "`FOLDER` with a folder for every model")
	flag.StringVar(&o.table, "table", "docs/insns.md", "`FILE` with the table that the results are compared with")
	flag.BoolVar(&o.update, "update", false, "write the table")
	models := flag.String("models", "", "only models that match `REGEXP`")
	cpus := flag.String("cpus", "", "only processors that match `REGEXP`")
	flag.Parse()
	err := o.only(*models, *cpus)
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "insns:", err)
		os.Exit(1)
	}
}

// options are one run of the program, which works in the module's root folder.
type options struct {
	conformance, table string
	update             bool
	models             []string // that are in the conformance folder
	cpus               []cpu
}

// models are the rows, in their order: those of MLPerf Tiny, and larger ones.
var models = []string{
	"mlperf_ic_resnet8", "mlperf_kws_dscnn", "mlperf_vww_mnv1_025", "mlperf_ad_toycar",
	"mobilenet_v2_pt_quant", "openmv_movenet_singlepose_192", "openmv_face_landmarks_192",
}

// only restricts what is counted.
func (o *options) only(modelPattern, cpuPattern string) error {
	m, err := regexp.Compile(modelPattern)
	if err != nil {
		return err
	}
	c, err := regexp.Compile(cpuPattern)
	if err != nil {
		return err
	}
	for _, name := range models {
		if m.MatchString(name) {
			o.models = append(o.models, name)
		}
	}
	for _, p := range cpus {
		if c.MatchString(p.name) {
			o.cpus = append(o.cpus, p)
		}
	}
	if len(o.models) == 0 || len(o.cpus) == 0 {
		return fmt.Errorf("nothing to count: models are %v, processors %v", models, cpuNames(cpus))
	}
	return nil
}

func (o *options) path(model string) string {
	return filepath.Join(o.conformance, model, "model.tflite")
}

// run counts, prints, and compares or writes.
func (o *options) run() error {
	dir, err := os.MkdirTemp("", "insns")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range o.models {
		if _, err := os.Stat(o.path(name)); err != nil {
			return fmt.Errorf("%w (the models are reference material beside the checkout)", err)
		}
	}
	old, err := readTable(o.table)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	counts, err := o.count(dir)
	fmt.Print(counts.text(o.models, o.cpus)) // what there is
	if err != nil {
		return err
	}
	if o.update {
		return counts.over(old).write(o.table)
	}
	worse := counts.worse(old)
	for _, w := range worse {
		fmt.Println(w)
	}
	if len(worse) > 0 {
		return fmt.Errorf("more instructions than %s allows; make insns-update accepts them", o.table)
	}
	return nil
}
