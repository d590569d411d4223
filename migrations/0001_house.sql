-- The whole house, once. One text for both databases: `IDENTITY` stands for the database's own
-- identity column (see src/store/dialect.rs); times are epoch milliseconds; booleans are 0 or 1.

CREATE TABLE event (
  id            IDENTITY,
  source        TEXT   NOT NULL,
  event_id      TEXT   NOT NULL,
  kind          TEXT   NOT NULL,
  consultation  TEXT   NOT NULL,
  code          TEXT   NOT NULL UNIQUE,
  body          TEXT   NOT NULL,
  state         TEXT   NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'planned', 'completed')),
  planned       BIGINT NOT NULL DEFAULT 0,
  received_at   BIGINT NOT NULL,
  planned_at    BIGINT,
  completed_at  BIGINT,
  deadline      BIGINT,
  progress_at   BIGINT NOT NULL DEFAULT 0,
  UNIQUE (source, event_id)
);
CREATE INDEX event_by_state ON event (state) WHERE state <> 'completed';
CREATE INDEX event_by_event_id ON event (event_id);
CREATE INDEX event_by_consultation ON event (consultation);

CREATE TABLE consultation (
  id          TEXT   NOT NULL PRIMARY KEY,
  title       TEXT   NOT NULL,
  url         TEXT,
  opens       BIGINT,
  closes      BIGINT,
  contact     TEXT,
  question    TEXT,
  phase       BIGINT NOT NULL DEFAULT 0,
  accepts     BIGINT NOT NULL DEFAULT 0,
  updated_at  BIGINT NOT NULL
);

CREATE TABLE citizen (
  id           IDENTITY,
  pseudonym    TEXT   NOT NULL UNIQUE,
  external_id  TEXT   UNIQUE,
  first_name   TEXT,
  commune      TEXT   NOT NULL DEFAULT '',
  language     TEXT   NOT NULL DEFAULT 'fr',
  register     TEXT   NOT NULL DEFAULT 'standard' CHECK (register IN ('standard', 'plain')),
  frequency    TEXT   NOT NULL DEFAULT 'immediate' CHECK (frequency IN ('immediate', 'daily', 'weekly')),
  age_band     TEXT   NOT NULL DEFAULT 'adult' CHECK (age_band IN ('under15', '15-25', 'adult')),
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX citizen_by_commune ON citizen (commune);

CREATE TABLE citizen_theme (
  citizen BIGINT NOT NULL REFERENCES citizen (id) ON DELETE CASCADE,
  theme   TEXT   NOT NULL,
  PRIMARY KEY (citizen, theme)
);

CREATE TABLE citizen_group (
  citizen BIGINT NOT NULL REFERENCES citizen (id) ON DELETE CASCADE,
  name    TEXT   NOT NULL,
  PRIMARY KEY (citizen, name)
);

CREATE TABLE address (
  id           IDENTITY,
  citizen      BIGINT NOT NULL REFERENCES citizen (id) ON DELETE CASCADE,
  channel      TEXT   NOT NULL,
  sealed       TEXT   NOT NULL,
  fingerprint  TEXT   NOT NULL,
  place        BIGINT NOT NULL DEFAULT 1,
  state        TEXT   NOT NULL DEFAULT 'active' CHECK (state IN ('unconfirmed', 'active', 'suppressed')),
  reason       TEXT,
  changed_at   BIGINT NOT NULL,
  UNIQUE (channel, fingerprint),
  UNIQUE (citizen, channel)
);

CREATE TABLE consent (
  id          IDENTITY,
  pseudonym   TEXT   NOT NULL,
  channel     TEXT   NOT NULL,
  purpose     TEXT   NOT NULL,
  action      TEXT   NOT NULL CHECK (action IN ('given', 'withdrawn')),
  source      TEXT   NOT NULL,
  wording     TEXT   NOT NULL DEFAULT '',
  language    TEXT   NOT NULL DEFAULT 'fr',
  actor       TEXT   NOT NULL,
  at          BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX consent_by_pseudonym ON consent (pseudonym);

-- Objections outlive erasure: a keyed fingerprint, never an address.
CREATE TABLE suppression (
  channel     TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  at          BIGINT NOT NULL,
  PRIMARY KEY (channel, fingerprint)
);

CREATE TABLE delivery (
  id          IDENTITY,
  event       BIGINT REFERENCES event (id),
  citizen     BIGINT,
  step        BIGINT NOT NULL DEFAULT 1,
  address     BIGINT,
  sealed      TEXT,
  channel     TEXT   NOT NULL,
  language    TEXT   NOT NULL,
  register    TEXT   NOT NULL,
  notice      TEXT,
  once        TEXT   UNIQUE,
  priority    BIGINT NOT NULL DEFAULT 5,
  state       TEXT   NOT NULL DEFAULT 'pending' CHECK (state IN
                ('pending', 'claimed', 'sent', 'delivered', 'failed', 'suppressed', 'expired', 'cancelled')),
  due_at      BIGINT NOT NULL,
  deadline    BIGINT,
  attempts    BIGINT NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until BIGINT,
  reference   TEXT,
  reason      TEXT,
  updated_at  BIGINT NOT NULL,
  UNIQUE (event, citizen, step)
);
CREATE INDEX delivery_due ON delivery (channel, priority, due_at, id) WHERE state = 'pending';
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE state = 'claimed';
CREATE INDEX delivery_deadline ON delivery (deadline) WHERE state = 'pending';
CREATE INDEX delivery_balance ON delivery (event, channel, state);
CREATE INDEX delivery_by_reference ON delivery (channel, reference) WHERE reference IS NOT NULL;
CREATE INDEX delivery_by_citizen ON delivery (citizen, id);

CREATE TABLE receipt (
  id          IDENTITY,
  channel     TEXT   NOT NULL,
  reference   TEXT   NOT NULL,
  state       TEXT   NOT NULL,
  why         TEXT   NOT NULL,
  at          BIGINT NOT NULL,
  applied     TEXT,
  tries       BIGINT NOT NULL DEFAULT 0,
  next_at     BIGINT NOT NULL DEFAULT 0,
  UNIQUE (channel, reference, state, why)
);
CREATE INDEX receipt_new ON receipt (next_at) WHERE applied IS NULL;

CREATE TABLE reply (
  id           IDENTITY,
  channel      TEXT   NOT NULL,
  provider_id  TEXT   NOT NULL,
  sender       TEXT   NOT NULL,
  fingerprint  TEXT   NOT NULL,
  recipient    TEXT   NOT NULL,
  sealed       TEXT   NOT NULL,
  state        TEXT   NOT NULL DEFAULT 'stored' CHECK (state IN
                 ('stored', 'matched', 'done', 'held', 'ignored', 'rejected')),
  class        TEXT,
  reason       TEXT,
  text         TEXT,
  quoted       TEXT,
  answer       TEXT,
  language     TEXT,
  message_id   TEXT,
  reference    TEXT,
  acknowledge  BIGINT NOT NULL DEFAULT 1,
  event        BIGINT,
  citizen      BIGINT,
  delivery     BIGINT,
  consultation TEXT,
  amends       BIGINT,
  received_at  BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  UNIQUE (channel, provider_id)
);
CREATE INDEX reply_by_state ON reply (state, id) WHERE state IN ('stored', 'matched', 'held');
CREATE INDEX reply_by_reference ON reply (channel, reference) WHERE reference IS NOT NULL;
CREATE INDEX reply_by_sender ON reply (channel, fingerprint, received_at);

-- A question asked back ("which consultation?"): the next answer from there settles it.
CREATE TABLE question (
  id          IDENTITY,
  channel     TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,
  reply       BIGINT NOT NULL REFERENCES reply (id),
  choices     TEXT   NOT NULL,
  asked_at    BIGINT NOT NULL,
  answered_at BIGINT
);
CREATE INDEX question_open ON question (channel, fingerprint) WHERE answered_at IS NULL;

CREATE TABLE author (
  citizen      BIGINT NOT NULL,
  consultation TEXT   NOT NULL,
  pseudonym    TEXT   NOT NULL UNIQUE,
  PRIMARY KEY (citizen, consultation)
);

CREATE TABLE contribution (
  id           TEXT   NOT NULL PRIMARY KEY,
  number       TEXT   NOT NULL UNIQUE,
  consultation TEXT   NOT NULL,
  event        BIGINT,
  citizen      BIGINT,
  author       TEXT   NOT NULL,
  channel      TEXT   NOT NULL,
  language     TEXT   NOT NULL,
  text         TEXT   NOT NULL,
  answer       TEXT,
  attachments  TEXT   NOT NULL DEFAULT '[]',
  state        TEXT   NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'amended', 'withdrawn')),
  reply        BIGINT UNIQUE,
  received_at  BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX contribution_by_consultation ON contribution (consultation, received_at, id);
CREATE INDEX contribution_by_citizen ON contribution (citizen, consultation);
CREATE INDEX contribution_by_event ON contribution (event);

-- Rows for the bus; `message_id` is what makes each go once.
CREATE TABLE outgoing (
  id          IDENTITY,
  subject     TEXT   NOT NULL,
  message_id  TEXT   NOT NULL UNIQUE,
  headers     TEXT   NOT NULL DEFAULT '[]',
  payload     TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  sent_at     BIGINT
);
CREATE INDEX outgoing_unsent ON outgoing (id) WHERE sent_at IS NULL;

-- The embedded bus: the three streams as one table.
CREATE TABLE bus_message (
  id          IDENTITY,
  stream      TEXT   NOT NULL,
  subject     TEXT   NOT NULL,
  message_id  TEXT   NOT NULL,
  headers     TEXT   NOT NULL DEFAULT '[]',
  payload     TEXT   NOT NULL,
  published_at BIGINT NOT NULL,
  tries       BIGINT NOT NULL DEFAULT 0,
  next_at     BIGINT NOT NULL DEFAULT 0,
  acked_at    BIGINT,
  UNIQUE (stream, message_id)
);
CREATE INDEX bus_message_new ON bus_message (stream, id) WHERE acked_at IS NULL;

CREATE TABLE api_token (
  hash        TEXT   NOT NULL PRIMARY KEY,
  name        TEXT   NOT NULL,
  scopes      TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  revoked_at  BIGINT
);

-- A pace shared by all machines: when a channel may be used again.
CREATE TABLE pace (
  channel     TEXT   NOT NULL PRIMARY KEY,
  paused_until BIGINT NOT NULL DEFAULT 0,
  next_slot   BIGINT NOT NULL DEFAULT 0
);

-- Facts about this database: the fingerprint of the key that seals it, for one.
CREATE TABLE fact (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
