CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE data_keys (
	tenant  TEXT PRIMARY KEY,
	wrapped BYTEA NOT NULL
);
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
, machine_outcome TEXT NOT NULL DEFAULT '', machine_reasons TEXT NOT NULL DEFAULT '');
CREATE TABLE verification_reasons (
	tenant     TEXT NOT NULL,
	code       TEXT NOT NULL,
	created_at BIGINT NOT NULL, -- of the verification
	id         TEXT NOT NULL,   -- of the verification
	PRIMARY KEY (tenant, code, created_at, id)
);
CREATE TABLE idempotency_keys (
	tenant          TEXT NOT NULL,
	key             TEXT NOT NULL,
	request_hash    BYTEA NOT NULL,
	verification_id TEXT NOT NULL,
	created_at      BIGINT NOT NULL,
	PRIMARY KEY (tenant, key)
);
CREATE TABLE tenants (
	id      TEXT PRIMARY KEY,
	events  BIGINT NOT NULL DEFAULT 0, -- sequence number of the last event
	entries BIGINT NOT NULL DEFAULT 0, -- sequence number of the last audit entry
	head    BYTEA                      -- its hash
);
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
CREATE TABLE case_reasons (
	tenant      TEXT NOT NULL,
	code        TEXT NOT NULL,
	deadline_at BIGINT NOT NULL, -- of the case
	id          TEXT NOT NULL,   -- of the case
	PRIMARY KEY (tenant, code, deadline_at, id)
);
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
CREATE TABLE notes (
	id      TEXT PRIMARY KEY,
	case_id TEXT NOT NULL,
	tenant  TEXT NOT NULL,
	user_id TEXT NOT NULL,
	at      BIGINT NOT NULL,
	text    TEXT NOT NULL
);
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
CREATE TABLE sessions (
	hash       BYTEA PRIMARY KEY,
	user_id    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE invitations (
	hash       BYTEA PRIMARY KEY,
	user_id    TEXT NOT NULL UNIQUE,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
INSERT INTO goose_db_version VALUES (1,0,1,'2026-11-22 09:18:03');
INSERT INTO goose_db_version VALUES (2,1,1,'2026-11-22 09:18:03');
INSERT INTO goose_db_version VALUES (3,2,1,'2026-11-22 09:18:03');
INSERT INTO goose_db_version VALUES (4,3,1,'2026-11-22 09:18:03');
INSERT INTO data_keys VALUES ('default',X'010002');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000001','default','queued','org-2','','','','01900000-0000-7000-8000-000000000001','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000001',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303031',0,3,1903852860000123,'',1903852800000123,1903854600000123,0,0,0,'','','','','',NULL,0,0,0,0,0,0,0,1,'','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000002','default','completed','','','','','01900000-0000-7000-8000-000000000002','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000002',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303032',0,3,1903852860000123,'',1903852860000123,1903854600000123,0,1903856400000123,1903856400000123,'fail','uscc_mismatch image_blurry','','','','{"id":"","status":"completed","outcome":"fail","policy":"dingtalk@1","reasons":[{"code":"uscc_mismatch","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}},{"code":"image_blurry","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'fail','uscc_mismatch image_blurry');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000003','default','completed','','','','','01900000-0000-7000-8000-000000000003','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000003',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303033',0,3,1903852860000123,'',1903852920000123,1903854600000123,0,1903856400000123,0,'review','uscc_unreadable','','','','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"uscc_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'review','uscc_unreadable');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000004','default','completed','org-1','ref ''1''','','','01900000-0000-7000-8000-000000000004','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000004',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303034',0,3,1903852860000123,'',1903852980000123,1903854600000123,0,1903856400000123,1903856400000123,'pass','','','','','{"id":"","status":"completed","outcome":"pass","policy":"dingtalk@1","reasons":null,"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'pass','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000005','default','completed','','','','','01900000-0000-7000-8000-000000000005','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000005',NULL,0,3,1903852860000123,'',1903853040000123,1903854600000123,0,1903856400000123,0,'review','image_glare','91310115PDY899512H','','',NULL,1903852800000123,0,0,0,1903852800000123,1903852800000123,1903852800000123,3,'review','image_glare');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000006','default','completed','','','','','01900000-0000-7000-8000-000000000006','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000006',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303036',0,3,1903852860000123,'',1903853100000123,1903854600000123,0,1903856400000123,1903852800000123,'fail','document_expired','91110108MA01ABCD5X','','','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"name_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":{"uscc":{"value":"91310115PDY899512H","raw":"","confidence":0,"source":"","polygon":null,"em_px":0}},"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,3,'review','name_unreadable');
INSERT INTO verification_reasons VALUES ('default','uscc_mismatch',1903852860000123,'01900000-0000-7000-8000-000000000002');
INSERT INTO verification_reasons VALUES ('default','image_blurry',1903852860000123,'01900000-0000-7000-8000-000000000002');
INSERT INTO verification_reasons VALUES ('default','uscc_unreadable',1903852920000123,'01900000-0000-7000-8000-000000000003');
INSERT INTO verification_reasons VALUES ('default','image_glare',1903853040000123,'01900000-0000-7000-8000-000000000005');
INSERT INTO verification_reasons VALUES ('default','document_expired',1903853100000123,'01900000-0000-7000-8000-000000000006');
INSERT INTO idempotency_keys VALUES ('default','key-1',X'0000','01900000-0000-7000-8000-000000000001',1903852800000123);
INSERT INTO idempotency_keys VALUES ('default','key-2',X'0001','01900000-0000-7000-8000-000000000002',1903852860000123);
INSERT INTO idempotency_keys VALUES ('default','key-3',X'0002','01900000-0000-7000-8000-000000000003',1903852920000123);
INSERT INTO idempotency_keys VALUES ('default','key-4',X'0003','01900000-0000-7000-8000-000000000004',1903852980000123);
INSERT INTO idempotency_keys VALUES ('default','key-5',X'0004','01900000-0000-7000-8000-000000000005',1903853040000123);
INSERT INTO idempotency_keys VALUES ('default','key-6',X'0005','01900000-0000-7000-8000-000000000006',1903853100000123);
INSERT INTO tenants VALUES ('default',6,5,X'4F295C214CA0F81B8E301EDB8D47369EFF3F6284929EB573A7DDA62F2228FEE3');
INSERT INTO events VALUES ('01a2028c-5fa7-7745-aa44-01d3d2baaeb5','default',1,'verification.completed','01900000-0000-7000-8000-000000000002','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2028c-5fb0-74f4-8387-c57e716e64d2','default',2,'verification.completed','01900000-0000-7000-8000-000000000003','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2028c-5fb5-7173-a431-defdbdf59bf7','default',3,'verification.completed','01900000-0000-7000-8000-000000000004','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2028c-5fbc-70ae-944e-1e0dfc4b3d53','default',4,'verification.completed','01900000-0000-7000-8000-000000000005','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2028c-5fc3-7f14-a7bc-c110c75f1d0e','default',5,'verification.completed','01900000-0000-7000-8000-000000000006','',1903856400000123,X'7B7D','');
INSERT INTO audit VALUES ('default',1,1903852800000123,'key:1','picture.read','01900000-0000-7000-8000-000000000005','{"fields": ["id_number"]}','申诉复核',NULL,X'A8FC5F1A3D9C604F8CD805E3FEFDD0432DD26EC44B6B0BF9AED6D97376C7BFBD');
INSERT INTO audit VALUES ('default',2,1903852800000123,'user:ann','case.decided','01900000-0000-7000-8000-000000000006','{"corrected":["uscc"],"decision":"01a2028c-5fca-7dfe-a6c1-50b3dca14498","kind":"reject","reasons":["document_expired"],"round":1}','',X'A8FC5F1A3D9C604F8CD805E3FEFDD0432DD26EC44B6B0BF9AED6D97376C7BFBD',X'E2D29F74FA2E900B91F3532D691F01585A2808059F3238A79B1C6E10631F12A9');
INSERT INTO audit VALUES ('default',3,1903852800000123,'system','case.final','01900000-0000-7000-8000-000000000006','{"decision":"01a2028c-5fca-7dfe-a6c1-50b3dca14498","outcome":"fail"}','',X'E2D29F74FA2E900B91F3532D691F01585A2808059F3238A79B1C6E10631F12A9',X'156D4D46B3FD2F088CDB3FD017C68F8470400A2103DF9A9C5B79CB973268171E');
INSERT INTO audit VALUES ('default',4,1903852800000123,'user:ann','case.noted','01900000-0000-7000-8000-000000000006','{"note":"01900000-0000-7000-8000-000000000006"}','',X'156D4D46B3FD2F088CDB3FD017C68F8470400A2103DF9A9C5B79CB973268171E',X'272B85069E9B220538C9E1887F0EE566B8282275861F3ACF29CEF7CE06527C47');
INSERT INTO audit VALUES ('default',5,1903852800000123,'user:admin','user.added','01a2028c-5fdc-7ea6-ba1e-854104d49bed','{}','',X'272B85069E9B220538C9E1887F0EE566B8282275861F3ACF29CEF7CE06527C47',X'4F295C214CA0F81B8E301EDB8D47369EFF3F6284929EB573A7DDA62F2228FEE3');
INSERT INTO cases VALUES ('01900000-0000-7000-8000-000000000003','default','','dingtalk@1','standard','uscc_unreadable',1903852920000123,1903856400000123,1903854600000123,'open','','',0,0,'',0);
INSERT INTO case_reasons VALUES ('default','uscc_unreadable',1903854600000123,'01900000-0000-7000-8000-000000000003');
INSERT INTO decisions VALUES ('01a2028c-5fca-7dfe-a6c1-50b3dca14498','01900000-0000-7000-8000-000000000006','default','ann',1,'reject','fail','document_expired','执照已过期','','{"uscc":"91110108MA01ABCD5X"}','name_unreadable',1903854600000123,0,1903852800000123,1903852800000123,1903852800000123,0,1903852800000123);
INSERT INTO notes VALUES ('01900000-0000-7000-8000-000000000006','01900000-0000-7000-8000-000000000006','default','ann',1903852800000123,'不清晰');
INSERT INTO users VALUES ('01a2028c-5fdc-7ea6-ba1e-854104d49bed','default','ann','小王','lead','','','',1903852800000123,0,0,0,0);
CREATE INDEX verifications_created ON verifications (tenant, created_at, id);
CREATE INDEX verifications_outcome ON verifications (tenant, outcome, created_at, id);
CREATE INDEX verifications_policy ON verifications (tenant, policy, created_at, id);
CREATE INDEX verifications_organization ON verifications (tenant, organization_id, created_at, id) WHERE organization_id <> '';
CREATE INDEX verifications_reference ON verifications (tenant, client_reference, created_at, id) WHERE client_reference <> '';
CREATE INDEX verifications_chain ON verifications (chain);
CREATE INDEX verifications_due ON verifications (priority, deadline_at, id, lease_until, created_at) WHERE status = 'queued';
CREATE INDEX verifications_undecided ON verifications (deadline_at, id, created_at)
	WHERE decided_at = 0 AND erased_at = 0 AND at_risk_at = 0;
CREATE INDEX verifications_reviews ON verifications (deadline_at)
	WHERE status = 'completed' AND decided_at = 0 AND erased_at = 0;
CREATE INDEX verifications_picture_until ON verifications (picture_until) WHERE picture_until > 0 AND picture_gone_at = 0;
CREATE INDEX verifications_sealed_until ON verifications (sealed_until) WHERE sealed_until > 0 AND sealed_gone_at = 0;
CREATE INDEX verifications_report_until ON verifications (report_until) WHERE report_until > 0 AND report_gone_at = 0;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
CREATE INDEX api_keys_tenant ON api_keys (tenant, id);
CREATE INDEX events_at ON events (at);
CREATE INDEX endpoints_tenant ON endpoints (tenant, id);
CREATE INDEX deliveries_due ON deliveries (next_at, id) WHERE status = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, status);
CREATE INDEX audit_subject ON audit (tenant, subject, seq);
CREATE INDEX verifications_uscc ON verifications (tenant, uscc, created_at, id) WHERE uscc <> '';
CREATE INDEX verifications_picture ON verifications (tenant, picture_sha256, created_at, id) WHERE picture_sha256 <> '';
CREATE INDEX verifications_pixels ON verifications (tenant, pixels_sha256, created_at, id) WHERE pixels_sha256 <> '';
CREATE INDEX verifications_flagged ON verifications (tenant, decided_at, completed_at, erased_at, deadline_at)
	WHERE machine_outcome = 'review';
CREATE INDEX cases_queue ON cases (tenant, deadline_at, id, stage, flagged_at);
CREATE INDEX cases_policy ON cases (tenant, policy, deadline_at, id, stage, claimed_until);
CREATE INDEX cases_organization ON cases (tenant, organization_id, deadline_at, id) WHERE organization_id <> '';
CREATE INDEX cases_stage ON cases (tenant, stage, deadline_at, id);
CREATE INDEX cases_claimed ON cases (tenant, claimed_by, deadline_at, id) WHERE claimed_by <> '';
CREATE INDEX cases_effective ON cases (effective_at) WHERE effective_at > 0;
CREATE INDEX decisions_case ON decisions (case_id);
CREATE INDEX decisions_at ON decisions (tenant, at, id);
CREATE INDEX notes_case ON notes (case_id);
CREATE INDEX users_tenant ON users (tenant, login);
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject <> '';
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX invitations_expires ON invitations (expires_at);
