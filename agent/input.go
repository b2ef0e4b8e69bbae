package agent

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"kedge/agent/source"
)

// openSource opens the input; nothing of it is read before there is a model.
func (a *agent) openSource() (err error) {
	s := a.c.Source
	switch s.Kind {
	case SourceReplay:
		a.source, err = newReplay(s, a.o.Log)
	case SourceStdin:
		a.source, err = newStdin(s, a.o.Stdin, a.o.Log)
	case SourceMQTT:
		a.source = source.NewTopic(s.Topic, s.Queue)
	default:
		err = fmt.Errorf("source kind %q", s.Kind)
	}
	return err
}

func newReplay(s SourceConfig, log *slog.Logger) (source.Source, error) {
	r, err := source.NewReplay(source.ReplayOptions{
		Path: s.Path, Format: source.Format(s.Format), Rate: s.Rate, Loop: s.Loop, Log: log,
	})
	if err != nil {
		return nil, err // not a source that holds a nil *Replay
	}
	return r, nil
}

func newStdin(s SourceConfig, stdin io.Reader, log *slog.Logger) (source.Source, error) {
	format := source.Format(s.Format)
	if format == "" {
		format = source.JSONL
	}
	var in io.ReadCloser
	switch r := stdin.(type) {
	case nil:
		in = io.NopCloser(eof{})
	case *os.File:
		var err error
		if in, err = source.Interruptible(r); err != nil {
			return nil, err
		}
	case io.ReadCloser:
		in = r
	default:
		in = io.NopCloser(r)
	}
	r, err := source.NewReader("stdin", in, format, log)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return r, nil
}

// eof is an empty input.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
