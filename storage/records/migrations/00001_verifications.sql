-- +goose Up
CREATE TABLE verifications (
	id               TEXT PRIMARY KEY,
	status           TEXT NOT NULL,
	organization_id  TEXT NOT NULL,
	client_reference TEXT NOT NULL,
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
	completed_at     BIGINT NOT NULL DEFAULT 0,
	outcome          TEXT NOT NULL DEFAULT '',
	reasons          TEXT NOT NULL DEFAULT '',
	report           TEXT,
	version          BIGINT NOT NULL,
	idempotency_key  TEXT UNIQUE,
	request_hash     BYTEA
);

CREATE INDEX verifications_due ON verifications (deadline_at, id) WHERE status = 'queued';

CREATE TABLE data_keys (
	tenant  TEXT PRIMARY KEY,
	wrapped BYTEA NOT NULL
);
