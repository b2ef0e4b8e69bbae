// Package agent is what runs on the device: it takes samples from a source,
// answers them with the model in service, watches for drift, reports over MQTT,
// and takes signed updates.
//
// The first call is LoadConfig, then Run, which composes the packages below and
// returns when the input or its context has ended.
//
// What it guarantees:
//
//   - Inference does not depend on the network, nor on room on the disk: without
//     either, samples are answered all the same, and one line says what is amiss.
//   - A report, its evidence and every event go through the durable outbox and
//     leave it only when the broker has acknowledged them.
//   - An alarm is neither lost nor raised again over a restart: the state of the
//     watch is stored together with the alarm.
//   - Another model or reference takes effect between two samples.
//   - What the broker retains after a stop by signal or at the end of the input is
//     the exact account of the run, if the broker was there.
//
// Run starts every goroutine and joins it before it returns. One goroutine reads
// and answers samples; the session, its pump, the updater and the periodic work
// have one each. agent.mu orders them.
package agent
