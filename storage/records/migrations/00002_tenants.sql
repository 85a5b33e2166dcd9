-- Tenants, idempotency keys of their own, retention clocks, events with their
-- deliveries, and the audit chain. SQLite cannot drop a UNIQUE column, so that
-- the table of verifications is made anew.

-- +goose Up
ALTER TABLE verifications RENAME TO verifications_1;
DROP INDEX verifications_due;

CREATE TABLE verifications (
	id               TEXT PRIMARY KEY,
	tenant           TEXT NOT NULL,
	status           TEXT NOT NULL,
	organization_id  TEXT NOT NULL,
	client_reference TEXT NOT NULL,
	purpose          TEXT NOT NULL,
	previous         TEXT NOT NULL,
	chain            TEXT NOT NULL,
	callback         TEXT NOT NULL,
	policy           TEXT NOT NULL,
	priority         TEXT NOT NULL,
	object_key       TEXT NOT NULL,
	sealed           BYTEA,
	attempts         BIGINT NOT NULL,
	max_attempts     BIGINT NOT NULL,
	lease_until      BIGINT NOT NULL,
	last_error       TEXT NOT NULL,
	created_at       BIGINT NOT NULL,
	deadline_at      BIGINT NOT NULL,
	at_risk_at       BIGINT NOT NULL DEFAULT 0,
	completed_at     BIGINT NOT NULL DEFAULT 0,
	decided_at       BIGINT NOT NULL DEFAULT 0,
	outcome          TEXT NOT NULL DEFAULT '',
	reasons          TEXT NOT NULL DEFAULT '',
	uscc             TEXT NOT NULL DEFAULT '',
	picture_sha256   TEXT NOT NULL DEFAULT '',
	pixels_sha256    TEXT NOT NULL DEFAULT '',
	report           TEXT,
	picture_until    BIGINT NOT NULL DEFAULT 0,
	sealed_until     BIGINT NOT NULL DEFAULT 0,
	report_until     BIGINT NOT NULL DEFAULT 0,
	picture_gone_at  BIGINT NOT NULL DEFAULT 0,
	sealed_gone_at   BIGINT NOT NULL DEFAULT 0,
	report_gone_at   BIGINT NOT NULL DEFAULT 0,
	erased_at        BIGINT NOT NULL DEFAULT 0,
	version          BIGINT NOT NULL
);

INSERT INTO verifications (id, tenant, status, organization_id, client_reference, purpose, previous, chain, callback,
	policy, priority, object_key, sealed, attempts, max_attempts, lease_until, last_error, created_at, deadline_at,
	completed_at, decided_at, outcome, reasons, report, version)
SELECT id, 'default', status, organization_id, client_reference, '', '', id, '',
	policy, priority, object_key, sealed, attempts, max_attempts, lease_until, last_error, created_at, deadline_at,
	completed_at, CASE WHEN outcome = 'review' THEN 0 ELSE completed_at END, outcome, reasons, report, version
FROM verifications_1;

-- Lists, newest first.
CREATE INDEX verifications_created ON verifications (tenant, created_at, id);
CREATE INDEX verifications_outcome ON verifications (tenant, outcome, created_at, id);
CREATE INDEX verifications_policy ON verifications (tenant, policy, created_at, id);
CREATE INDEX verifications_organization ON verifications (tenant, organization_id, created_at, id) WHERE organization_id <> '';
CREATE INDEX verifications_reference ON verifications (tenant, client_reference, created_at, id) WHERE client_reference <> '';
CREATE INDEX verifications_chain ON verifications (chain);
-- Work to do, whoever's. lease_until and created_at spare looking at each row.
CREATE INDEX verifications_due ON verifications (priority, deadline_at, id, lease_until, created_at) WHERE status = 'queued';
CREATE INDEX verifications_undecided ON verifications (deadline_at, id, created_at)
	WHERE decided_at = 0 AND erased_at = 0 AND at_risk_at = 0;
CREATE INDEX verifications_reviews ON verifications (deadline_at)
	WHERE status = 'completed' AND decided_at = 0 AND erased_at = 0;
CREATE INDEX verifications_picture_until ON verifications (picture_until) WHERE picture_until > 0 AND picture_gone_at = 0;
CREATE INDEX verifications_sealed_until ON verifications (sealed_until) WHERE sealed_until > 0 AND sealed_gone_at = 0;
CREATE INDEX verifications_report_until ON verifications (report_until) WHERE report_until > 0 AND report_gone_at = 0;

CREATE TABLE verification_reasons (
	tenant     TEXT NOT NULL,
	code       TEXT NOT NULL,
	created_at BIGINT NOT NULL, -- of the verification
	id         TEXT NOT NULL,   -- of the verification
	PRIMARY KEY (tenant, code, created_at, id)
);

-- Takes the codes apart letter by letter: the two databases share no function
-- that finds a blank.
INSERT INTO verification_reasons (tenant, code, created_at, id)
WITH RECURSIVE walk(id, created_at, word, rest) AS (
	SELECT id, created_at, CAST('' AS TEXT), reasons || ' ' FROM verifications_1 WHERE reasons <> ''
	UNION ALL
	SELECT id, created_at, CASE WHEN substr(rest, 1, 1) = ' ' THEN '' ELSE word || substr(rest, 1, 1) END, substr(rest, 2)
	FROM walk WHERE rest <> ''
)
SELECT DISTINCT 'default', word, created_at, id FROM walk WHERE substr(rest, 1, 1) = ' ' AND word <> '';

CREATE TABLE idempotency_keys (
	tenant          TEXT NOT NULL,
	key             TEXT NOT NULL,
	request_hash    BYTEA NOT NULL,
	verification_id TEXT NOT NULL,
	created_at      BIGINT NOT NULL,
	PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
INSERT INTO idempotency_keys (tenant, key, request_hash, verification_id, created_at)
SELECT 'default', idempotency_key, request_hash, id, created_at FROM verifications_1 WHERE idempotency_key IS NOT NULL;

DROP TABLE verifications_1;

-- A tenant and the heads of its two logs.
CREATE TABLE tenants (
	id      TEXT PRIMARY KEY,
	events  BIGINT NOT NULL DEFAULT 0, -- sequence number of the last event
	entries BIGINT NOT NULL DEFAULT 0, -- sequence number of the last audit entry
	head    BYTEA                      -- its hash
);
INSERT INTO tenants (id) VALUES ('default');

CREATE TABLE api_keys (
	id           TEXT PRIMARY KEY,
	tenant       TEXT NOT NULL,
	name         TEXT NOT NULL,
	hash         BYTEA NOT NULL UNIQUE,
	scopes       TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL,
	revoked_at   BIGINT NOT NULL DEFAULT 0,
	last_used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX api_keys_tenant ON api_keys (tenant, id);

CREATE TABLE events (
	id       TEXT PRIMARY KEY,
	tenant   TEXT NOT NULL,
	seq      BIGINT NOT NULL,
	type     TEXT NOT NULL,
	subject  TEXT NOT NULL,
	dedupe   TEXT NOT NULL,
	at       BIGINT NOT NULL,
	payload  BYTEA NOT NULL,
	callback TEXT NOT NULL,
	UNIQUE (tenant, seq),
	UNIQUE (tenant, subject, type, dedupe)
);
CREATE INDEX events_at ON events (at);

CREATE TABLE endpoints (
	id              TEXT PRIMARY KEY,
	tenant          TEXT NOT NULL,
	url             TEXT NOT NULL,
	sealed_secrets  BYTEA NOT NULL,
	types           TEXT NOT NULL,
	created_at      BIGINT NOT NULL,
	disabled_at     BIGINT NOT NULL DEFAULT 0,
	disabled_reason TEXT NOT NULL DEFAULT '',
	failing_since   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX endpoints_tenant ON endpoints (tenant, id);

CREATE TABLE deliveries (
	id          TEXT PRIMARY KEY,
	tenant      TEXT NOT NULL,
	event_id    TEXT NOT NULL,
	endpoint_id TEXT NOT NULL,
	status      TEXT NOT NULL,
	attempts    BIGINT NOT NULL DEFAULT 0,
	next_at     BIGINT NOT NULL,
	last_at     BIGINT NOT NULL DEFAULT 0,
	last_code   TEXT NOT NULL DEFAULT '',
	last_status BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_due ON deliveries (next_at, id) WHERE status = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, status);

CREATE TABLE audit (
	tenant  TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	actor   TEXT NOT NULL,
	action  TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail  TEXT NOT NULL,
	reason  TEXT NOT NULL,
	prev    BYTEA,
	hash    BYTEA NOT NULL,
	PRIMARY KEY (tenant, seq)
);
CREATE INDEX audit_subject ON audit (tenant, subject, seq);
