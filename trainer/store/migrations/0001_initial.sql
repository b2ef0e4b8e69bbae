-- Times are nanoseconds since 1970 in UTC, 0 for unknown. Text is never null:
-- an absent text is ''.

CREATE TABLE base_sets (
    name       TEXT PRIMARY KEY, -- of the model that it trains
    columns    TEXT NOT NULL,    -- JSON: name and transform of every feature
    classes    TEXT NOT NULL,    -- JSON: names of the classes, in the model's order
    x          BLOB NOT NULL,    -- rows of little-endian float32
    y          BLOB NOT NULL,    -- one little-endian uint16 per row: index into classes
    created    BIGINT NOT NULL
);

CREATE TABLE devices (
    site        TEXT NOT NULL,
    device      TEXT NOT NULL,
    boot        TEXT NOT NULL DEFAULT '',
    session     BIGINT NOT NULL DEFAULT 0,
    online      INTEGER NOT NULL DEFAULT 0,
    seen        BIGINT NOT NULL DEFAULT 0, -- last message, by the centre's clock
    model       TEXT NOT NULL DEFAULT '',  -- SHA-256 of the model in service
    release_    TEXT NOT NULL DEFAULT '',  -- digest of its release
    reported    BLOB,                      -- latest account of itself, as it came
    PRIMARY KEY (site, device)
);

-- Boots that a device has left behind: their wills are not news.
CREATE TABLE old_boots (
    site   TEXT NOT NULL,
    device TEXT NOT NULL,
    boot   TEXT NOT NULL,
    PRIMARY KEY (site, device, boot)
);

CREATE TABLE seen_events (
    site   TEXT NOT NULL,
    device TEXT NOT NULL,
    id     TEXT NOT NULL,
    seen   BIGINT NOT NULL,
    PRIMARY KEY (site, device, id)
);
CREATE INDEX seen_events_by_time ON seen_events (seen);

CREATE TABLE samples (
    id             TEXT PRIMARY KEY, -- device/boot/sequence
    site           TEXT NOT NULL,
    device         TEXT NOT NULL,
    time           BIGINT NOT NULL,
    model          TEXT NOT NULL,    -- SHA-256 of the model that answered
    x              BLOB NOT NULL,
    answered       TEXT NOT NULL,
    confidence     DOUBLE PRECISION NOT NULL,
    evidence       TEXT NOT NULL,
    label          TEXT NOT NULL DEFAULT '',
    label_distance BIGINT NOT NULL DEFAULT 0, -- time between label and sample, 0 if joined by id
    quarantine     TEXT NOT NULL DEFAULT ''   -- why it is not trained on
);
CREATE INDEX samples_by_time ON samples (site, device, time);
CREATE INDEX samples_by_evidence ON samples (site, device, evidence);
CREATE INDEX samples_by_model ON samples (model);

CREATE TABLE evidence_parts (
    site     TEXT NOT NULL,
    device   TEXT NOT NULL,
    evidence TEXT NOT NULL,
    part     INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    arrived  BIGINT NOT NULL,
    PRIMARY KEY (site, device, evidence, part)
);

-- Ground truth as it came. It may be older than the sample that it is about.
CREATE TABLE labels (
    id       INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    source   TEXT NOT NULL,
    sample   TEXT NOT NULL,   -- either this
    device   TEXT NOT NULL,   -- or device and time
    time     BIGINT NOT NULL,
    label    TEXT NOT NULL,
    received BIGINT NOT NULL,
    joined   TEXT NOT NULL DEFAULT '',  -- id of the sample that has this label
    distance BIGINT NOT NULL DEFAULT 0,
    UNIQUE (site, sample, device, time)
);
CREATE INDEX labels_by_time ON labels (site, device, time);

CREATE TABLE drift_reports (
    id       INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    device   TEXT NOT NULL,
    event    TEXT NOT NULL,
    time     BIGINT NOT NULL,
    name     TEXT NOT NULL,  -- of the model
    model    TEXT NOT NULL,  -- its SHA-256
    evidence TEXT NOT NULL,
    before_  INTEGER NOT NULL, -- samples that the device announced
    after_   INTEGER NOT NULL,
    report   BLOB NOT NULL,  -- as it came
    received BIGINT NOT NULL,
    status   TEXT NOT NULL,  -- open, released, refused or superseded
    tried    INTEGER NOT NULL DEFAULT 0, -- labels at the last training
    release_ TEXT NOT NULL DEFAULT '',
    detail   TEXT NOT NULL DEFAULT '',
    UNIQUE (site, device, event)
);
CREATE INDEX drift_reports_by_status ON drift_reports (status);

CREATE TABLE update_events (
    id       INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    device   TEXT NOT NULL,
    event    TEXT NOT NULL,
    time     BIGINT NOT NULL,
    release_ TEXT NOT NULL,
    state    TEXT NOT NULL,
    code     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    UNIQUE (site, device, event)
);

CREATE TABLE releases (
    digest     TEXT PRIMARY KEY, -- of the signed document
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    model      TEXT NOT NULL,    -- SHA-256 of model.tflite
    bundle     TEXT NOT NULL,    -- SHA-256 of the bundle, a blob
    index_     TEXT NOT NULL,    -- SHA-256 of its chunk index, a blob
    envelope   BLOB NOT NULL,
    weights    BLOB,             -- the network before quantization, to go on training from
    accuracy   DOUBLE PRECISION, -- on samples that it was not trained on; null if unknown
    created    BIGINT NOT NULL,
    UNIQUE (name, version)
);
CREATE INDEX releases_by_model ON releases (model);

CREATE TABLE assignments (
    id       INTEGER PRIMARY KEY, -- rises: whoever publishes asks for those above the last
    site     TEXT NOT NULL,
    kind     TEXT NOT NULL,       -- device or group
    target   TEXT NOT NULL,
    release_ TEXT NOT NULL REFERENCES releases (digest),
    sequence BIGINT NOT NULL,
    envelope BLOB NOT NULL,
    issued   BIGINT NOT NULL,
    UNIQUE (site, kind, target, sequence)
);

CREATE TABLE device_references (
    id       INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    device   TEXT NOT NULL,
    model    TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    envelope BLOB NOT NULL,
    created  BIGINT NOT NULL,
    UNIQUE (site, device, sequence)
);
