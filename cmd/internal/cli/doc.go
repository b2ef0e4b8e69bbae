// Package cli gives both binaries one way to describe commands, parse flags,
// report errors and choose exit codes.
//
// A binary declares a [Program] with a literal table of [Command] values and
// calls [Program.Main], whose result is the process's exit code. Flags may
// stand before, between or after the arguments; --help works on every command.
// A command returns an error instead of printing it; [WithHint] and [WithCode]
// attach what the user can do about it and the exit code that scripts test.
//
// Main prints errors as
//
//	kedge: <object>: <finding>
//	hint: <what to do>
//
// on standard error, and never anything else there by itself. Nothing here is
// global: several programs may run at once in one process, as tests do.
package cli
