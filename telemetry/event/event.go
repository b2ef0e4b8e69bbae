// Package event is the catalogue of everything that a device says to people:
// a stable code, how serious it is, a plain sentence, and what to do.
//
// Log lines, health events and (on boards with one) the serial console all
// take their words from here, so that a technician can look a code up once.
// Lookup is the only call that most users need. The catalogue is a constant.
package event

import "log/slog"

// A Severity tells how much an event matters.
type Severity string

// Severities, as they are printed.
const (
	Info    Severity = "I" // normal operation
	Warning Severity = "W" // works, but somebody should look
	Error   Severity = "E" // something does not work
)

// Level returns the matching log level.
func (s Severity) Level() slog.Level {
	switch s {
	case Warning:
		return slog.LevelWarn
	case Error:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// A Code names an event; it never changes its meaning.
type Code string

// Codes: K01 start and stop, K02 model, K03 drift, K04 update, K05 storage, K06 network, K07 input.
const (
	AgentStarted       Code = "K0101"
	AgentStopped       Code = "K0102"
	ModelLoaded        Code = "K0201"
	ModelAbsent        Code = "K0202"
	DriftWarning       Code = "K0310"
	DriftAlarm         Code = "K0311"
	DriftCounted       Code = "K0312"
	ReferenceTaken     Code = "K0320"
	ReferenceSent      Code = "K0321"
	ReferenceRefused   Code = "K0322"
	ReferencePutOff    Code = "K0323"
	MaintenanceStarted Code = "K0330"
	MaintenanceEnded   Code = "K0331"
	MaintenanceRefused Code = "K0332"
	UpdateOffered      Code = "K0401"
	UpdateDownloading  Code = "K0402"
	UpdateVerified     Code = "K0403"
	UpdateCommitted    Code = "K0404"
	UpdateRefused      Code = "K0405"
	UpdateRolledBack   Code = "K0406"
	UpdateFailed       Code = "K0407"
	RootChanged        Code = "K0410"
	RootRefused        Code = "K0411"
	StoreDamaged       Code = "K0501"
	StoreFull          Code = "K0502"
	StoreDropped       Code = "K0503"
	BrokerConnected    Code = "K0601"
	BrokerUnreachable  Code = "K0602"
	BrokerLost         Code = "K0603"
	InputRejected      Code = "K0701"
	InputEnded         Code = "K0702"
)

// An Entry is one event of the catalogue.
type Entry struct {
	Code     Code
	Severity Severity
	Text     string // a plain sentence without a full stop
	Do       string // what to do; present for every Warning and Error
}

// Catalogue lists all events, ascending by code.
func Catalogue() []Entry { return catalogue[:] }

// Lookup returns the entry of a code; an unknown code is a bug and yields an
// Error that says so rather than nothing.
func Lookup(code Code) Entry {
	for _, e := range catalogue {
		if e.Code == code {
			return e
		}
	}
	return Entry{Code: code, Severity: Error, Text: "unknown event code", Do: "report this code to the maker of this version"}
}

var catalogue = [...]Entry{
	{AgentStarted, Info, "agent started", ""},
	{AgentStopped, Info, "agent stopped", ""},
	{ModelLoaded, Info, "model loaded", ""},
	{ModelAbsent, Warning, "no model in service", "assign a release to this device, or run kedge install with a .kedge file"},
	{DriftWarning, Warning, "confidence falling", "keep running; look at the sensors if it goes on"},
	{DriftAlarm, Warning, "drift detected", "keep running; report and samples are sent, label the captured samples"},
	{DriftCounted, Info, "further drift alarm counted", ""},
	{ReferenceTaken, Info, "new drift reference in force", ""},
	{ReferenceSent, Info, "first signals of the new model sent as its reference", ""},
	{ReferenceRefused, Warning, "drift reference refused", "tell the operator; the previous reference stays in force"},
	{ReferencePutOff, Info, "drift reference not taken while an alarm stands", ""},
	{MaintenanceStarted, Info, "maintenance started, no alarms until it ends", ""},
	{MaintenanceEnded, Info, "maintenance ended, watching for drift again", ""},
	{MaintenanceRefused, Warning, "request for maintenance refused", "use kedge maintenance start or kedge maintenance end"},
	{UpdateOffered, Info, "update offered", ""},
	{UpdateDownloading, Info, "update downloading", ""},
	{UpdateVerified, Info, "update verified on this board", ""},
	{UpdateCommitted, Info, "update in service", ""},
	{UpdateRefused, Error, "new model refused", "tell the operator; the old model stays in service"},
	{UpdateRolledBack, Error, "new model rolled back", "tell the operator; the old model is in service again"},
	{UpdateFailed, Warning, "update not finished", "nothing; it is tried again by itself"},
	{RootChanged, Info, "new root document in force", ""},
	{RootRefused, Error, "root document refused", "tell the operator; the present root document stays in force"},
	{StoreDamaged, Error, "damaged store set aside", "check the storage card; a new store was begun"},
	{StoreFull, Error, "store full", "free space in the state directory; inference goes on"},
	{StoreDropped, Warning, "records dropped", "restore the connection or raise buffer.max_bytes"},
	{BrokerConnected, Info, "connected to the broker", ""},
	{BrokerUnreachable, Warning, "broker unreachable", "check network and mqtt.broker; inference goes on, reports are kept"},
	{BrokerLost, Warning, "connection to the broker lost", "nothing; it is tried again by itself, reports are kept"},
	{InputRejected, Warning, "input rejected", "check the source against the model's features"},
	{InputEnded, Info, "input ended", ""},
}
