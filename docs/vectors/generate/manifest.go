package main

// A manifest lists what the vectors are to be used for.
type manifest struct {
	About  string  `json:"about"`
	Checks []check `json:"checks"`
}

// A check is one file and its expected outcome.
type check struct {
	File  string `json:"file"`
	Why   string `json:"why"`   // what the file shows
	Check string `json:"check"` // which of the checks below
	// Root is the root document in force, Release the release that the file
	// belongs to, both files of the vectors.
	Root    string `json:"root,omitempty"`
	Release string `json:"release,omitempty"`
	// Message is the type of a message, a schema's name; events name both
	// schemas, as event/drift. Topic is where it would be published.
	Message string `json:"message,omitempty"`
	Topic   string `json:"topic,omitempty"`
	Outcome string `json:"outcome"`
	// Digest is the document digest of an accepted document.
	Digest string `json:"digest,omitempty"`
}

// Kinds of checks.
const (
	checkRoot      = "root"      // open it as the root that a device was enrolled with
	checkNextRoot  = "next-root" // take it as the successor of Root
	checkRelease   = "release"   // verify under Root
	checkAssign    = "assign"
	checkReference = "reference"
	checkBundle    = "bundle"  // open it as the bundle of Release
	checkIndex     = "index"   // open it as the chunk index of Release's bundle
	checkChunk     = "chunk"   // check it as chunk 0 of Release's bundle
	checkPackage   = "package" // open it, verify its release under Root, open its bundle
	checkMessage   = "message"
)

// Outcomes: accepted, or why not. Which refusal is named where a file breaks
// several rules is up to the implementation; the files here break one.
const (
	accept      = "accept"
	malformed   = "malformed"    // not of the expected form, or it contradicts itself
	payloadType = "payload-type" // another kind of document
	signature   = "signature"    // not signed by enough keys of the role
	rootVersion = "root-version" // not the version that follows
	digest      = "digest"       // not the bytes that were signed
	badBundle   = "bundle"       // the archive breaks a rule of bundles
)
