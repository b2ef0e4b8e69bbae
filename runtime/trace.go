package runtime

// Trace is Invoke with a call after every operator of the main subgraph, in
// order, by index. It is for measurements, and allocates no more than Invoke does.
func (s *Session) Trace(done func(operator int)) {
	s.team.Begin()
	for i := range s.program.steps {
		s.memory.Scratch = s.scratch[i]
		s.program.steps[i].Eval(&s.memory)
		done(i)
	}
	s.team.End()
}
