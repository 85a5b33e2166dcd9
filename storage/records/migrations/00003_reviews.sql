-- People decide: users with their sessions and invitations, the cases that wait
-- for them, their decisions and notes. What the machine said stays beside what
-- they say.

-- +goose Up
ALTER TABLE verifications ADD COLUMN machine_outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE verifications ADD COLUMN machine_reasons TEXT NOT NULL DEFAULT '';
UPDATE verifications SET machine_outcome = outcome, machine_reasons = reasons WHERE outcome <> '';

-- Look-alikes, newest first.
CREATE INDEX verifications_uscc ON verifications (tenant, uscc, created_at, id) WHERE uscc <> '';
CREATE INDEX verifications_picture ON verifications (tenant, picture_sha256, created_at, id) WHERE picture_sha256 <> '';
CREATE INDEX verifications_pixels ON verifications (tenant, pixels_sha256, created_at, id) WHERE pixels_sha256 <> '';
-- What was flagged and decided in a time, with all that is counted of it.
CREATE INDEX verifications_flagged ON verifications (tenant, decided_at, completed_at, erased_at, deadline_at)
	WHERE machine_outcome = 'review';

CREATE TABLE cases (
	id              TEXT PRIMARY KEY, -- of the verification
	tenant          TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	policy          TEXT NOT NULL,
	priority        TEXT NOT NULL,
	reasons         TEXT NOT NULL,
	created_at      BIGINT NOT NULL,
	flagged_at      BIGINT NOT NULL,
	deadline_at     BIGINT NOT NULL,
	stage           TEXT NOT NULL,
	first_by        TEXT NOT NULL DEFAULT '',
	claimed_by      TEXT NOT NULL DEFAULT '',
	claimed_at      BIGINT NOT NULL DEFAULT 0,
	claimed_until   BIGINT NOT NULL DEFAULT 0,
	decision        TEXT NOT NULL DEFAULT '',
	effective_at    BIGINT NOT NULL DEFAULT 0
);

INSERT INTO cases (id, tenant, organization_id, policy, priority, reasons, created_at, flagged_at, deadline_at, stage)
SELECT id, tenant, organization_id, policy, priority, reasons, created_at, completed_at, deadline_at, 'open'
FROM verifications WHERE outcome = 'review' AND decided_at = 0 AND erased_at = 0;

-- The queue, nearest deadline first. What follows id spares looking at each row.
CREATE INDEX cases_queue ON cases (tenant, deadline_at, id, stage, flagged_at);
CREATE INDEX cases_policy ON cases (tenant, policy, deadline_at, id, stage, claimed_until);
CREATE INDEX cases_organization ON cases (tenant, organization_id, deadline_at, id) WHERE organization_id <> '';
CREATE INDEX cases_stage ON cases (tenant, stage, deadline_at, id);
CREATE INDEX cases_claimed ON cases (tenant, claimed_by, deadline_at, id) WHERE claimed_by <> '';
CREATE INDEX cases_effective ON cases (effective_at) WHERE effective_at > 0;

CREATE TABLE case_reasons (
	tenant      TEXT NOT NULL,
	code        TEXT NOT NULL,
	deadline_at BIGINT NOT NULL, -- of the case
	id          TEXT NOT NULL,   -- of the case
	PRIMARY KEY (tenant, code, deadline_at, id)
);
INSERT INTO case_reasons (tenant, code, deadline_at, id)
SELECT cases.tenant, code, deadline_at, cases.id FROM cases JOIN verification_reasons
ON verification_reasons.tenant = cases.tenant AND verification_reasons.created_at = cases.created_at AND verification_reasons.id = cases.id;

CREATE TABLE decisions (
	id              TEXT PRIMARY KEY,
	case_id         TEXT NOT NULL,
	tenant          TEXT NOT NULL,
	user_id         TEXT NOT NULL,
	round           BIGINT NOT NULL,
	kind            TEXT NOT NULL,
	outcome         TEXT NOT NULL,
	reasons         TEXT NOT NULL,
	message_zh      TEXT NOT NULL,
	message_en      TEXT NOT NULL,
	corrections     TEXT NOT NULL,
	machine_reasons TEXT NOT NULL,
	deadline_at     BIGINT NOT NULL,
	claimed_at      BIGINT NOT NULL,
	at              BIGINT NOT NULL,
	grace_until     BIGINT NOT NULL,
	effective_at    BIGINT NOT NULL,
	undone_at       BIGINT NOT NULL DEFAULT 0,
	final_at        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX decisions_case ON decisions (case_id);
CREATE INDEX decisions_at ON decisions (tenant, at, id);

CREATE TABLE notes (
	id      TEXT PRIMARY KEY,
	case_id TEXT NOT NULL,
	tenant  TEXT NOT NULL,
	user_id TEXT NOT NULL,
	at      BIGINT NOT NULL,
	text    TEXT NOT NULL
);
CREATE INDEX notes_case ON notes (case_id);

CREATE TABLE users (
	id           TEXT PRIMARY KEY,
	tenant       TEXT NOT NULL,
	login        TEXT NOT NULL UNIQUE,
	name         TEXT NOT NULL,
	role         TEXT NOT NULL,
	password     TEXT NOT NULL,
	issuer       TEXT NOT NULL,
	subject      TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	seen_at      BIGINT NOT NULL DEFAULT 0,
	disabled_at  BIGINT NOT NULL DEFAULT 0,
	failures     BIGINT NOT NULL DEFAULT 0,
	locked_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX users_tenant ON users (tenant, login);
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject <> '';

CREATE TABLE sessions (
	hash       BYTEA PRIMARY KEY,
	user_id    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE invitations (
	hash       BYTEA PRIMARY KEY,
	user_id    TEXT NOT NULL UNIQUE,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX invitations_expires ON invitations (expires_at);
