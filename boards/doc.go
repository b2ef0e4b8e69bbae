// Package boards says what machine the program runs on and how it is doing:
// [Detect] names board and processor, [Read] takes temperatures, clocks and signs
// of throttling. Both read the files that Linux shows below a root folder, "/" on
// a real machine, and leave empty what they do not find; neither fails.
package boards
