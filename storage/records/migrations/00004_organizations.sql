-- Organizations with their certifications and what those hold for themselves,
-- the prints of pictures, and batches.

-- +goose Up
ALTER TABLE verifications ADD COLUMN entity_type TEXT NOT NULL DEFAULT '';
ALTER TABLE verifications ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';
ALTER TABLE verifications ADD COLUMN custom_id TEXT NOT NULL DEFAULT '';

-- What an organization waits for.
CREATE INDEX verifications_open ON verifications (tenant, organization_id)
	WHERE decided_at = 0 AND erased_at = 0 AND organization_id <> '';
-- How a batch came out.
CREATE INDEX verifications_batch ON verifications (batch_id, outcome, reasons) WHERE batch_id <> '';
CREATE INDEX verifications_reverification ON verifications (created_at) WHERE purpose = 'reverification';

CREATE TABLE organizations (
	tenant        TEXT NOT NULL,
	id            TEXT NOT NULL, -- the caller's own
	state         TEXT NOT NULL,
	state_before  TEXT NOT NULL, -- where a pending one goes back to
	entity_type   TEXT NOT NULL DEFAULT '',
	name          BYTEA NOT NULL, -- UTF-8; of bytes a prefix is a range, whatever the collation
	uscc          TEXT NOT NULL DEFAULT '',
	certification TEXT NOT NULL DEFAULT '',
	valid_until   BIGINT NOT NULL DEFAULT 0,
	verification  TEXT NOT NULL,
	policy        TEXT NOT NULL,
	next_at       BIGINT NOT NULL DEFAULT 0,
	patrol_at     BIGINT NOT NULL DEFAULT 0, -- next_at, or the end of a patrol's lease
	reminded      BIGINT NOT NULL DEFAULT 0,
	barred_at     BIGINT NOT NULL DEFAULT 0, -- what was handed in until then certifies nothing
	created_at    BIGINT NOT NULL,
	changed_at    BIGINT NOT NULL,
	version       BIGINT NOT NULL,
	PRIMARY KEY (tenant, id)
);

INSERT INTO organizations (tenant, id, state, state_before, name, verification, policy, created_at, changed_at, version)
SELECT v.tenant, v.organization_id, CASE WHEN undecided > 0 THEN 'pending' ELSE 'unverified' END, 'unverified', '', v.id, v.policy,
	first_at, v.created_at, 1
FROM verifications v JOIN (
	SELECT MAX(id) AS last_id, MIN(created_at) AS first_at, COUNT(CASE WHEN decided_at = 0 AND erased_at = 0 THEN 1 END) AS undecided
	FROM verifications WHERE organization_id <> '' GROUP BY tenant, organization_id) AS latest ON v.id = last_id;

CREATE INDEX organizations_state ON organizations (tenant, state, id);
CREATE INDEX organizations_valid ON organizations (tenant, valid_until, id) WHERE valid_until > 0;
CREATE INDEX organizations_name ON organizations (tenant, name, id) WHERE length(name) > 0;
CREATE INDEX organizations_patrol ON organizations (patrol_at) WHERE patrol_at > 0;

CREATE TABLE certifications (
	id                   TEXT PRIMARY KEY,
	tenant               TEXT NOT NULL,
	organization_id      TEXT NOT NULL,
	verification_id      TEXT NOT NULL,
	name                 TEXT NOT NULL,
	uscc                 TEXT NOT NULL,
	legal_representative TEXT NOT NULL,
	capital              TEXT NOT NULL,
	term                 TEXT NOT NULL,
	policy               TEXT NOT NULL,
	checks               TEXT NOT NULL,
	valid_from           BIGINT NOT NULL,
	valid_until          BIGINT NOT NULL,
	ended_at             BIGINT NOT NULL DEFAULT 0,
	ending               TEXT NOT NULL DEFAULT ''
);
CREATE INDEX certifications_organization ON certifications (tenant, organization_id, valid_from, id);
CREATE UNIQUE INDEX certifications_present ON certifications (tenant, organization_id) WHERE ended_at = 0;
CREATE INDEX certifications_verification ON certifications (verification_id);

-- What the present certifications hold: names by their keys, licenses, contacts.
CREATE TABLE holdings (
	tenant          TEXT NOT NULL,
	kind            TEXT NOT NULL,
	key             TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	shared          BIGINT NOT NULL,
	PRIMARY KEY (tenant, kind, key, organization_id)
);
CREATE INDEX holdings_organization ON holdings (tenant, organization_id);
CREATE UNIQUE INDEX holdings_name ON holdings (tenant, key) WHERE kind = 'same';
CREATE UNIQUE INDEX holdings_license ON holdings (tenant, key) WHERE kind = 'license' AND shared = 0;

CREATE TABLE prints (
	tenant          TEXT NOT NULL,
	key             TEXT NOT NULL,
	verification_id TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	PRIMARY KEY (tenant, key, verification_id)
);
CREATE INDEX prints_verification ON prints (verification_id);

CREATE TABLE batches (
	id         TEXT PRIMARY KEY,
	tenant     TEXT NOT NULL,
	name       TEXT NOT NULL,
	policy     TEXT NOT NULL,
	priority   TEXT NOT NULL,
	state      TEXT NOT NULL,
	lines      BIGINT NOT NULL DEFAULT 0,
	bad        BIGINT NOT NULL DEFAULT 0,
	cancelled  BIGINT NOT NULL DEFAULT 0,
	submitted  BIGINT NOT NULL DEFAULT 0,
	done       BIGINT NOT NULL DEFAULT 0,
	created_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	done_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX batches_tenant ON batches (tenant, created_at, id);
CREATE INDEX batches_state ON batches (state, created_at, id) WHERE state <> 'done' AND state <> 'cancelled';

CREATE TABLE batch_lines (
	batch_id        TEXT NOT NULL,
	line_key        TEXT NOT NULL, -- of a good line its custom_id, of a bad one its number
	custom_id       TEXT NOT NULL,
	number          BIGINT NOT NULL,
	organization_id TEXT NOT NULL,
	verification_id TEXT NOT NULL DEFAULT '',
	state           TEXT NOT NULL,
	errors          BYTEA,
	sealed          BYTEA,
	picture         TEXT NOT NULL,
	lease_until     BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (batch_id, line_key)
);
CREATE INDEX batch_lines_number ON batch_lines (batch_id, number, line_key);
CREATE INDEX batch_lines_ready ON batch_lines (batch_id, number, line_key, lease_until) WHERE state = 'ready';
