package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// writeUsage prints the help of one command or group.
func writeUsage(w io.Writer, path string, cmd Command) error {
	var b strings.Builder
	if cmd.Setup == nil {
		groupUsage(&b, path, cmd)
	} else {
		leafUsage(&b, path, cmd)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func groupUsage(b *strings.Builder, path string, cmd Command) {
	fmt.Fprintf(b, "%s: %s\n\nusage: %s COMMAND [flags]\n\ncommands:\n", path, cmd.Summary, path)
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, c := range cmd.Commands {
		fmt.Fprintf(tw, "  %s\t%s\n", c.Name, c.Summary)
	}
	tw.Flush()
	fmt.Fprintf(b, "\n%s COMMAND --help shows a command's arguments and flags\n", path)
}

func leafUsage(b *strings.Builder, path string, cmd Command) {
	fs := flag.NewFlagSet(path, flag.ContinueOnError)
	cmd.Setup(fs)
	var flags strings.Builder
	tw := tabwriter.NewWriter(&flags, 0, 0, 2, ' ', 0)
	fs.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		if value != "" {
			value = " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(tw, "  --%s%s\t%s\n", f.Name, value, text)
	})
	tw.Flush()

	fmt.Fprintf(b, "%s: %s\n\nusage: %s", path, cmd.Summary, path)
	if cmd.Args != "" {
		b.WriteString(" " + cmd.Args)
	}
	if flags.Len() > 0 {
		b.WriteString(" [flags]\n\nflags:\n" + flags.String())
	} else {
		b.WriteString("\n")
	}
	if cmd.Detail != "" {
		b.WriteString("\n" + strings.TrimSpace(cmd.Detail) + "\n")
	}
}
