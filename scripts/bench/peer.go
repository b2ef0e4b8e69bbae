package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// peer is a process that times another runtime, see tools/ortbench.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startPeer(cmd *exec.Cmd) (*peer, error) {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{cmd, in, json.NewDecoder(out)}, cmd.Start()
}

// stop ends the process; its standard input does.
func (p *peer) stop() {
	p.in.Close()
	_ = p.cmd.Wait() // its answers have been read
}

func (p *peer) runner(model string) runner {
	return func(n int) (t times, err error) {
		line, err := json.Marshal(map[string]any{"model": model, "n": n})
		if err == nil {
			_, err = p.in.Write(append(line, '\n'))
		}
		if err == nil {
			err = p.out.Decode(&t)
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", p.cmd.Path, err)
		}
		return t, nil
	}
}
