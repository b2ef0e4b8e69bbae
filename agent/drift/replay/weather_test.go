package replay

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWeather replays whether a model was right about rain, day by day for forty
// years, against the first 4,000 days: years differ, and nothing drifts.
func TestWeather(t *testing.T) {
	path := filepath.Join("..", "..", "..", "..", "shared", "drift", "golden", "real_weather_err.csv.gz")
	file, err := os.Open(path)
	if os.IsNotExist(err) && os.Getenv("KEDGE_REQUIRE_SHARED") != "1" {
		t.Skipf("SKIPPED: no recording beside the checkout: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	const first = 3000 // row of the weather at which the recording begins
	var b strings.Builder
	b.WriteString("x,season,month\n")
	lines := bufio.NewScanner(unzipped)
	lines.Scan()
	for day := first; lines.Scan(); day++ {
		x, _, _ := strings.Cut(lines.Text(), ",")
		fmt.Fprintf(&b, "%s,%d,%d\n", x, int(float64(day)/365.25*4)%4, int(float64(day)/365.25*12)%12)
	}
	for _, context := range []string{"", "season", "month"} {
		r := mustRun(t, b.String(), Options{Complement: true, Context: context, ReferenceRows: 4000})
		if r.Rows != 15159 || len(r.Detections) > 2 {
			t.Errorf("context %q: got alarms in %v of %d rows, want at most 2", context, r.Detections, r.Rows)
		}
	}
}
