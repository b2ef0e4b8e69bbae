package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// unmarshalExact decodes JSON that has one reading only. encoding/json by
// itself takes the last of two members of the same name, takes "Threshold" for
// "threshold", and mends broken UTF-8. A signer, or a reader in another language,
// that does any of this differently would see another document under the same
// signature, so all three are errors here.
func unmarshalExact(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("text is not UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	// The syntax is known to be right from here on, and the nesting bounded.
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return exactValue(dec, reflect.TypeOf(v))
}

// exactValue checks the member names of the next value, which was decoded into
// a t; nil means that nothing is known about its members.
func exactValue(dec *json.Decoder, t reflect.Type) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch token {
	case json.Delim('{'):
		return exactObject(dec, t)
	case json.Delim('['):
		var elem reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			elem = t.Elem()
		}
		for dec.More() {
			if err := exactValue(dec, elem); err != nil {
				return err
			}
		}
		_, err = dec.Token()
		return err
	}
	return nil
}

func exactObject(dec *json.Decoder, t reflect.Type) error {
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name := token.(string) // the syntax was checked: a member begins with its name
		if seen[name] {
			return fmt.Errorf("member %.64q stands twice", name)
		}
		seen[name] = true
		member, err := memberType(t, name)
		if err != nil {
			return err
		}
		if err := exactValue(dec, member); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// memberType returns the type of the member of that name, nil if t does not
// say, and an error if encoding/json would take the name for another one.
func memberType(t reflect.Type, name string) (reflect.Type, error) {
	if t == nil {
		return nil, nil
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	var near string
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name {
			return t.Field(i).Type, nil
		}
		if strings.EqualFold(tag, name) {
			near = tag
		}
	}
	if near != "" {
		return nil, fmt.Errorf("member %.64q, want %q", name, near)
	}
	return nil, nil
}
