CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
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
CREATE TABLE data_keys (
	tenant  TEXT PRIMARY KEY,
	wrapped BYTEA NOT NULL
);
INSERT INTO goose_db_version VALUES (1,0,1,'2026-11-22 06:07:57');
INSERT INTO goose_db_version VALUES (2,1,1,'2026-11-22 06:07:57');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000001','queued','','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000001',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303031',0,3,1903852860000123,'',1903852800000123,1903854600000123,0,'','',NULL,1,'key-1',X'0000');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000002','completed','','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000002',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303032',0,3,1903852860000123,'',1903852860000123,1903854600000123,1903856400000123,'fail','uscc_mismatch image_blurry','{"id":"","status":"completed","outcome":"fail","policy":"dingtalk@1","reasons":[{"code":"uscc_mismatch","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}},{"code":"image_blurry","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',2,'key-2',X'0001');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000003','completed','','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000003',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303033',0,3,1903852860000123,'',1903852920000123,1903854600000123,1903856400000123,'review','uscc_unreadable','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"uscc_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',2,'key-3',X'0002');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000004','completed','org-1','ref ''1''','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000004',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303034',0,3,1903852860000123,'',1903852980000123,1903854600000123,1903856400000123,'pass','','{"id":"","status":"completed","outcome":"pass","policy":"dingtalk@1","reasons":null,"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',2,'key-4',X'0003');
INSERT INTO data_keys VALUES ('default',X'010002');
CREATE INDEX verifications_due ON verifications (deadline_at, id) WHERE status = 'queued';
