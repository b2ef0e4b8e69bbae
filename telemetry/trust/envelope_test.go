package trust

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The first row is the example of DSSE's protocol.md.
func TestPAE(t *testing.T) {
	tests := []struct{ payloadType, payload, want string }{
		{"http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{"", "", "DSSEv1 0  0 "},
		{"é", "\x00\xff", "DSSEv1 2 é 2 \x00\xff"}, // lengths are of bytes
		{"a 1", "b", "DSSEv1 3 a 1 1 b"},
	}
	for _, test := range tests {
		if got := string(PAE(test.payloadType, []byte(test.payload))); got != test.want {
			t.Errorf("PAE(%q, %q): got %q, want %q", test.payloadType, test.payload, got, test.want)
		}
	}
}

// An envelope whose every byte was changed is either refused or says the same
// thing: the digest of what verified is the one that was signed.
func TestTamperedEnvelope(t *testing.T) {
	r := openTestRoot(t)
	b := testBundle()
	envelope := sign(t, TypeRelease, testRelease(b, encodeBundle(t, b)), 10)
	_, want, err := r.VerifyRelease(envelope)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range envelope {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			tampered := bytes.Clone(envelope)
			tampered[i] ^= flip
			_, got, err := r.VerifyRelease(tampered)
			if err != nil {
				refused++
			} else if got != want {
				t.Fatalf("byte %d ^ %#x: got release %s, want %s or an error", i, flip, got, want)
			}
		}
		if _, _, err := r.VerifyRelease(envelope[:i]); err == nil {
			t.Fatalf("verified when cut after %d bytes", i)
		}
	}
	// Only the letters of "keyid" may change: it is a hint.
	if harmless := 3*len(envelope) - refused; harmless > 3*len("keyid") {
		t.Errorf("%d changes left the envelope valid, want at most %d", harmless, 3*len("keyid"))
	}
}

func TestVerifyRoleAndType(t *testing.T) {
	r := openTestRoot(t)
	assign := testAssign()
	tests := []struct {
		name        string
		payloadType string
		signers     []byte
		want        error
	}{
		{"right", TypeAssign, []byte{20}, nil},
		{"not signed", TypeAssign, nil, ErrSignature},
		{"release key", TypeAssign, []byte{10}, ErrSignature},
		{"root keys", TypeAssign, []byte{1, 2, 3}, ErrSignature},
		{"unknown key beside the right one", TypeAssign, []byte{99, 20}, nil},
		{"unknown key", TypeAssign, []byte{99}, ErrSignature},
		{"other type", TypeRelease, []byte{20}, ErrPayloadType},
		{"type in capitals", strings.ToUpper(TypeAssign), []byte{20}, ErrPayloadType},
		{"no type", "", []byte{20}, ErrPayloadType},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := r.VerifyAssign(sign(t, test.payloadType, assign, test.signers...))
			wantError(t, err, test.want)
		})
	}
	t.Run("unknown role", func(t *testing.T) {
		_, err := r.Verify("timestamp", TypeAssign, sign(t, TypeAssign, assign, 20))
		wantError(t, err, ErrSignature)
	})
}

// A signature covers the type: moved under another one it is worthless.
func TestSignatureMovedToOtherType(t *testing.T) {
	r := openTestRoot(t)
	e := members(t, json.RawMessage(sign(t, TypeReference, testReference(), 10)))
	data, _ := json.Marshal(with(e, "payloadType", TypeRelease))
	_, _, err := r.VerifyRelease(data)
	wantError(t, err, ErrSignature)
}

func TestThresholdCounting(t *testing.T) {
	doc := rootDocument(t, 1, 2, 1, 2, 3)
	good := sign(t, TypeRoot, doc, 1)
	var one struct {
		Signatures []json.RawMessage `json:"signatures"`
	}
	if err := json.Unmarshal(good, &one); err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(doc)
	sig := func(n byte, keyid string) string {
		s := ed25519.Sign(signer(t, n).key.(ed25519.PrivateKey), PAE(TypeRoot, payload))
		return fmt.Sprintf(`{"keyid":%q,"sig":%q}`, keyid, base64.StdEncoding.EncodeToString(s))
	}
	id := func(n byte) string { return signer(t, n).KeyID() }
	tests := []struct {
		name       string
		signatures []string
		want       error
	}{
		{"two keys", []string{sig(1, id(1)), sig(3, id(3))}, nil},
		{"all three", []string{sig(1, id(1)), sig(2, id(2)), sig(3, id(3))}, nil},
		{"one key", []string{sig(1, id(1))}, ErrSignature},
		{"one key twice", []string{sig(1, id(1)), sig(1, id(1))}, ErrSignature},
		{"one key under two ids", []string{sig(1, id(1)), sig(1, id(2))}, ErrSignature},
		{"one key with and without id", []string{sig(1, id(1)), sig(1, "")}, ErrSignature},
		{"one key, id in capitals", []string{sig(1, id(1)), sig(1, strings.ToUpper(id(1)))}, ErrSignature},
		{"two keys without ids", []string{sig(1, ""), sig(2, "")}, nil},
		{"bad signature before the good one of the same key", []string{sig(2, id(1)), sig(1, id(1)), sig(2, id(2))}, nil},
		{"ids exchanged", []string{sig(1, id(2)), sig(2, id(1))}, ErrSignature},
		{"strangers first", []string{sig(98, id(98)), sig(99, id(99)), sig(1, id(1)), sig(2, id(2))}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			envelope := fmt.Sprintf(`{"payloadType":%q,"payload":%q,"signatures":[%s]}`,
				TypeRoot, base64.StdEncoding.EncodeToString(payload), strings.Join(test.signatures, ","))
			_, err := OpenRoot([]byte(envelope))
			wantError(t, err, test.want)
		})
	}
}

func TestDecodeEnvelope(t *testing.T) {
	const rest = `"payloadType":"t","payload":"aGVsbG8=","signatures":[]`
	many := strings.TrimSuffix(strings.Repeat(`{"sig":""},`, maxSignatures+1), ",")
	tests := []struct {
		name, data string
		want       error
	}{
		{"whole", `{` + rest + `}`, nil},
		{"unknown member", `{` + rest + `,"more":{"payload":1}}`, nil},
		{"space around", " \n{" + rest + "}\n", nil},
		{"signature without keyid", `{"payloadType":"t","payload":"","signatures":[{"sig":""}]}`, nil},
		{"empty", ``, ErrMalformed},
		{"null", `null`, ErrMalformed},
		{"array", `[]`, ErrMalformed},
		{"trailing data", `{` + rest + `}{}`, ErrMalformed},
		{"no payloadType", `{"payload":"","signatures":[]}`, ErrMalformed},
		{"no payload", `{"payloadType":"t","signatures":[]}`, ErrMalformed},
		{"null payload", `{"payloadType":"t","payload":null,"signatures":[]}`, ErrMalformed},
		{"no signatures", `{"payloadType":"t","payload":""}`, ErrMalformed},
		{"no sig", `{"payloadType":"t","payload":"","signatures":[{"keyid":"a"}]}`, ErrMalformed},
		{"payload twice", `{` + rest + `,"payload":""}`, ErrMalformed},
		{"payload in capitals too", `{` + rest + `,"Payload":""}`, ErrMalformed},
		{"payload in capitals only", `{"payloadType":"t","PAYLOAD":"","signatures":[]}`, ErrMalformed},
		{"sig twice", `{"payloadType":"t","payload":"","signatures":[{"sig":"","sig":""}]}`, ErrMalformed},
		{"keyid in capitals", `{"payloadType":"t","payload":"","signatures":[{"sig":"","KeyID":""}]}`, ErrMalformed},
		{"not base64", `{"payloadType":"t","payload":"?","signatures":[]}`, ErrMalformed},
		{"base64 without padding", `{"payloadType":"t","payload":"aGVsbG8","signatures":[]}`, ErrMalformed},
		{"sig not base64", `{"payloadType":"t","payload":"","signatures":[{"sig":"?"}]}`, ErrMalformed},
		{"number for a string", `{"payloadType":1,"payload":"","signatures":[]}`, ErrMalformed},
		{"not UTF-8", `{` + rest + ",\"x\":\"\xff\"}", ErrMalformed},
		{"deep nesting", `{` + rest + `,"x":` + strings.Repeat("[", 15000) + strings.Repeat("]", 15000) + `}`, ErrMalformed},
		{"most signatures", `{"payloadType":"t","payload":"","signatures":[` + strings.TrimPrefix(many, `{"sig":""},`) + `]}`, nil},
		{"one signature more", `{"payloadType":"t","payload":"","signatures":[` + many + `]}`, ErrTooLarge},
		{"payload too large", `{"payloadType":"t","payload":"` + strings.Repeat("AAAA", MaxPayload/3+1) + `","signatures":[]}`, ErrTooLarge},
		{"envelope too large", strings.Repeat(" ", maxEnvelope) + `{` + rest + `}`, ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := PayloadOf([]byte(test.data))
			wantError(t, err, test.want)
		})
	}
}

// DSSE lets a signer choose between both base64 alphabets and has verifiers take both.
func TestBase64Alphabets(t *testing.T) {
	for _, payload := range []string{"+/+/", "-_-_"} {
		_, got, err := PayloadOf([]byte(`{"payloadType":"t","payload":"` + payload + `","signatures":[]}`))
		if err != nil || !bytes.Equal(got, []byte{0xfb, 0xff, 0xbf}) {
			t.Errorf("payload %s: got % x, %v, want fb ff bf", payload, got, err)
		}
	}
}

func TestSignLimits(t *testing.T) {
	_, err := Sign(TypeAssign, long(MaxPayload-1), signer(t, 20))
	wantError(t, err, ErrTooLarge)
	_, err = Sign(TypeAssign, long(MaxPayload-2), signer(t, 20)) // and two quotes
	wantError(t, err, nil)
	if _, err = Sign(TypeAssign, func() {}); err == nil {
		t.Error("a function was signed")
	}

	var many []*Signer
	for n := range byte(maxSignatures + 1) {
		many = append(many, signer(t, n))
	}
	_, err = Sign(TypeAssign, testAssign(), many...)
	wantError(t, err, ErrTooLarge)
	full, err := Sign(TypeAssign, long(MaxPayload-2), many[:maxSignatures]...)
	wantError(t, err, nil)
	if _, _, err := PayloadOf(full); err != nil {
		t.Errorf("the largest document with the most signatures: %v", err)
	}
	_, err = AddSignatures(full, many[maxSignatures])
	wantError(t, err, ErrTooLarge)
}

func TestAddSignatures(t *testing.T) {
	envelope := sign(t, TypeRoot, rootDocument(t, 1, 2, 1, 2, 3), 1)
	_, err := OpenRoot(envelope)
	wantError(t, err, ErrSignature)
	_, before, _ := PayloadOf(envelope)

	envelope, err = AddSignatures(envelope, signer(t, 3))
	wantError(t, err, nil)
	_, err = OpenRoot(envelope)
	wantError(t, err, nil)
	_, after, _ := PayloadOf(envelope)
	if DocumentDigest(before) != DocumentDigest(after) {
		t.Error("a further signature changed the document's name")
	}

	again, err := AddSignatures(envelope, signer(t, 3))
	if err != nil || !bytes.Equal(again, envelope) {
		t.Errorf("the same key again: got %d bytes, %v, want the same envelope", len(again), err)
	}
	_, err = AddSignatures([]byte("{}"), signer(t, 1))
	wantError(t, err, ErrMalformed)
}

// An envelope that nobody has signed yet is one by DSSE's rules, for others to sign.
func TestUnsignedEnvelope(t *testing.T) {
	envelope := sign(t, TypeRoot, rootDocument(t, 1, 1, 1))
	if !bytes.Contains(envelope, []byte(`"signatures":[]`)) {
		t.Errorf("got %.80s…, want an empty array of signatures", envelope)
	}
	signed, err := AddSignatures(envelope, signer(t, 1))
	wantError(t, err, nil)
	_, err = OpenRoot(signed)
	wantError(t, err, nil)
}
