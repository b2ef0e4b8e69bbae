package e2e

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

// demoResult is the part of `kedge-trainer demo --json` that is promised.
type demoResult struct {
	OK                            bool    `json:"ok"`
	AccuracyBefore                float64 `json:"accuracy_before"`
	AccuracyDrifted               float64 `json:"accuracy_drifted"`
	AccuracyDriftedWithoutUpdates float64 `json:"accuracy_drifted_without_updates"`
	FalseAlarmsBeforeDrift        int     `json:"false_alarms_before_drift"`
	SamplesToAlarm                *int    `json:"samples_to_alarm"`
	LabelsUsed                    int     `json:"labels_used"`
	Updates                       int     `json:"updates"`
	BytesOverAir                  int64   `json:"bytes_over_air"`
	Models                        []struct {
		Version uint64 `json:"version"`
		Samples int    `json:"samples"`
	} `json:"models"`
	Stages []struct {
		Name    string `json:"name"`
		Samples int    `json:"samples"`
		Alarms  int    `json:"alarms"`
	} `json:"stages"`
}

func runDemo(t *testing.T, args ...string) demoResult {
	t.Helper()
	var r demoResult
	if err := json.Unmarshal([]byte(run(t, "kedge-trainer", append([]string{"demo", "--json"}, args...)...)), &r); err != nil {
		t.Fatal(err)
	}
	if !r.OK || r.SamplesToAlarm == nil || r.FalseAlarmsBeforeDrift != 0 || r.Updates < 1 || r.BytesOverAir == 0 || len(r.Models) != r.Updates+1 {
		t.Fatalf("got %+v, want a closed loop without false alarms", r)
	}
	t.Logf("%+v, alarm after %d", r, *r.SamplesToAlarm)
	return r
}

func TestDemoSimulated(t *testing.T) {
	r := runDemo(t)
	if r.AccuracyDrifted < r.AccuracyDriftedWithoutUpdates+.2 || *r.SamplesToAlarm > 100 {
		t.Errorf("accuracy %.3f with updates and %.3f without, alarm after %d samples; want 0.2 more and at most 100",
			r.AccuracyDrifted, r.AccuracyDriftedWithoutUpdates, *r.SamplesToAlarm)
	}
}

// Recorded chemical sensors that age over 20 months: the promise of the loop on real data.
func TestDemoGasSensors(t *testing.T) {
	const data = "../../../shared/data/gas_sensor_drift"
	if _, err := os.Stat(data); err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatal(err)
		}
		t.Skip("the recorded data is not beside the checkout: ", err)
	}
	seeds := 1
	if os.Getenv("KEDGE_ACCEPT") == "1" {
		seeds = 20
	}
	for seed := range seeds {
		r := runDemo(t, "--data", data, "--seed", strconv.Itoa(seed+1))
		if r.AccuracyDrifted < .95 || *r.SamplesToAlarm > 100 || r.LabelsUsed > 600 {
			t.Errorf("seed %d: accuracy %.3f, alarm after %d samples, %d labels; want at least 0.95, at most 100 and 600",
				seed+1, r.AccuracyDrifted, *r.SamplesToAlarm, r.LabelsUsed)
		}
	}
}
