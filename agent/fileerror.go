package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// fileError names the key and the file, and says what is wrong without the words
// of package os: "mqtt.ca: /etc/kedge/ca.pem: no such file or directory".
func fileError(key, path string, err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %s: %w", key, path, err)
}

// checkRegular refuses what is no regular file: a folder cannot be read, and
// reading a pipe or a device may never end.
func checkRegular(key, path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fileError(key, path, syscall.EISDIR)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %s: not a regular file", key, path)
	}
	return nil
}
