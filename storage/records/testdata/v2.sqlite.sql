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
);
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
INSERT INTO goose_db_version VALUES (1,0,1,'2026-11-22 08:44:53');
INSERT INTO goose_db_version VALUES (2,1,1,'2026-11-22 08:44:53');
INSERT INTO goose_db_version VALUES (3,2,1,'2026-11-22 08:44:53');
INSERT INTO data_keys VALUES ('default',X'010002');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000001','default','queued','','','','','01900000-0000-7000-8000-000000000001','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000001',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303031',0,3,1903852860000123,'',1903852800000123,1903854600000123,0,0,0,'','','','','',NULL,0,0,0,0,0,0,0,1);
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000002','default','completed','','','','','01900000-0000-7000-8000-000000000002','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000002',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303032',0,3,1903852860000123,'',1903852860000123,1903854600000123,0,1903856400000123,1903856400000123,'fail','uscc_mismatch image_blurry','','','','{"id":"","status":"completed","outcome":"fail","policy":"dingtalk@1","reasons":[{"code":"uscc_mismatch","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}},{"code":"image_blurry","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2);
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000003','default','completed','','','','','01900000-0000-7000-8000-000000000003','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000003',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303033',0,3,1903852860000123,'',1903852920000123,1903854600000123,0,1903856400000123,0,'review','uscc_unreadable','','','','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"uscc_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2);
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000004','default','completed','org-1','ref ''1''','','','01900000-0000-7000-8000-000000000004','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000004',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303034',0,3,1903852860000123,'',1903852980000123,1903854600000123,0,1903856400000123,1903856400000123,'pass','','','','','{"id":"","status":"completed","outcome":"pass","policy":"dingtalk@1","reasons":null,"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2);
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000005','default','completed','','','','','01900000-0000-7000-8000-000000000005','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000005',NULL,0,3,1903852860000123,'',1903853040000123,1903854600000123,0,1903856400000123,0,'review','image_glare','','','',NULL,1903852800000123,0,0,0,1903852800000123,1903852800000123,1903852800000123,3);
INSERT INTO verification_reasons VALUES ('default','uscc_mismatch',1903852860000123,'01900000-0000-7000-8000-000000000002');
INSERT INTO verification_reasons VALUES ('default','image_blurry',1903852860000123,'01900000-0000-7000-8000-000000000002');
INSERT INTO verification_reasons VALUES ('default','uscc_unreadable',1903852920000123,'01900000-0000-7000-8000-000000000003');
INSERT INTO verification_reasons VALUES ('default','image_glare',1903853040000123,'01900000-0000-7000-8000-000000000005');
INSERT INTO idempotency_keys VALUES ('default','key-1',X'0000','01900000-0000-7000-8000-000000000001',1903852800000123);
INSERT INTO idempotency_keys VALUES ('default','key-2',X'0001','01900000-0000-7000-8000-000000000002',1903852860000123);
INSERT INTO idempotency_keys VALUES ('default','key-3',X'0002','01900000-0000-7000-8000-000000000003',1903852920000123);
INSERT INTO idempotency_keys VALUES ('default','key-4',X'0003','01900000-0000-7000-8000-000000000004',1903852980000123);
INSERT INTO idempotency_keys VALUES ('default','key-5',X'0004','01900000-0000-7000-8000-000000000005',1903853040000123);
INSERT INTO tenants VALUES ('default',4,1,X'A8FC5F1A3D9C604F8CD805E3FEFDD0432DD26EC44B6B0BF9AED6D97376C7BFBD');
INSERT INTO events VALUES ('01a2026e-0210-7be4-948a-1b1370097560','default',1,'verification.completed','01900000-0000-7000-8000-000000000002','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2026e-0212-740d-b32e-8c47f28d2f8e','default',2,'verification.completed','01900000-0000-7000-8000-000000000003','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2026e-0213-7b10-9991-dfe7fc973c37','default',3,'verification.completed','01900000-0000-7000-8000-000000000004','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a2026e-0215-703d-8241-9a8d67c73c1c','default',4,'verification.completed','01900000-0000-7000-8000-000000000005','',1903856400000123,X'7B7D','');
INSERT INTO audit VALUES ('default',1,1903852800000123,'key:1','picture.read','01900000-0000-7000-8000-000000000005','{"fields": ["id_number"]}','申诉复核',NULL,X'A8FC5F1A3D9C604F8CD805E3FEFDD0432DD26EC44B6B0BF9AED6D97376C7BFBD');
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
