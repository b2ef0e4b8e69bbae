package mqtt

import "log/slog"

// Status says whether the broker is there.
type Status struct {
	Broker  string // its URL
	Session uint64 // number of the connection, as given to Options.Will
	Up      bool   // connected, and the subscriptions stand

	// If it is not up: Lost says that the session was connected until now, Cause
	// why it no longer is or could not be, and Do what a person can do about it.
	Lost  bool
	Cause error
	Do    string
}

// logStatus is what Options.OnStatus does if the owner has nothing better.
func logStatus(log *slog.Logger) func(Status) {
	return func(s Status) {
		if s.Up {
			log.Info("broker connected", slog.String("broker", s.Broker), slog.Uint64("session", s.Session))
			return
		}
		log.Warn("broker not reachable, trying again", slog.String("broker", s.Broker), slog.Bool("lost", s.Lost),
			slog.Any("cause", s.Cause), slog.String("do", s.Do))
	}
}
