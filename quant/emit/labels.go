package emit

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
)

// labelFile names the file with the labels of an input or output.
func labelFile(side string, i int) string {
	if side == "output" && i == 0 {
		return "labels.txt"
	}
	return fmt.Sprintf("labels_%s_%d.txt", side, i)
}

// attach appends the label files as a ZIP archive, which begins anywhere in a
// file and is found from its end; readers of the flatbuffer do not see it. Offsets
// count from the start of the whole, and the files are stored, not compressed,
// because the libraries on phones hand them out in place.
func (m *Metadata) attach(file []byte) ([]byte, error) {
	out := bytes.NewBuffer(file)
	archive := zip.NewWriter(out)
	archive.SetOffset(int64(len(file)))
	empty := true
	for _, side := range []struct {
		name string
		list []TensorMetadata
	}{{"input", m.Inputs}, {"output", m.Outputs}} {
		for i := range side.list {
			if len(side.list[i].Labels) == 0 {
				continue
			}
			empty = false
			if err := store(archive, labelFile(side.name, i), side.list[i].Labels); err != nil {
				return nil, err
			}
		}
	}
	if empty {
		return file, nil
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// store adds a file with one label a line and no time, which would make bytes
// differ. Its header has the sizes, which CreateHeader would put behind the data.
func store(archive *zip.Writer, name string, labels []string) error {
	data := []byte(strings.Join(labels, "\n") + "\n")
	w, err := archive.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
		CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data)),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
