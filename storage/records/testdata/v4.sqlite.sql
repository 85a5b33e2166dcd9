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
, machine_outcome TEXT NOT NULL DEFAULT '', machine_reasons TEXT NOT NULL DEFAULT '', entity_type TEXT NOT NULL DEFAULT '', batch_id TEXT NOT NULL DEFAULT '', custom_id TEXT NOT NULL DEFAULT '');
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
CREATE TABLE holdings (
	tenant          TEXT NOT NULL,
	kind            TEXT NOT NULL,
	key             TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	shared          BIGINT NOT NULL,
	PRIMARY KEY (tenant, kind, key, organization_id)
);
CREATE TABLE prints (
	tenant          TEXT NOT NULL,
	key             TEXT NOT NULL,
	verification_id TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	PRIMARY KEY (tenant, key, verification_id)
);
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
INSERT INTO goose_db_version VALUES (1,0,1,'2026-11-22 09:55:10');
INSERT INTO goose_db_version VALUES (2,1,1,'2026-11-22 09:55:10');
INSERT INTO goose_db_version VALUES (3,2,1,'2026-11-22 09:55:10');
INSERT INTO goose_db_version VALUES (4,3,1,'2026-11-22 09:55:11');
INSERT INTO goose_db_version VALUES (5,4,1,'2026-11-22 09:55:11');
INSERT INTO data_keys VALUES ('default',X'010002');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000001','default','queued','org-2','','','','01900000-0000-7000-8000-000000000001','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000001',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303031',0,3,1903852860000123,'',1903852800000123,1903854600000123,0,0,0,'','','','','',NULL,0,0,0,0,0,0,0,1,'','','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000002','default','completed','','','','','01900000-0000-7000-8000-000000000002','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000002',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303032',0,3,1903852860000123,'',1903852860000123,1903854600000123,0,1903856400000123,1903856400000123,'fail','uscc_mismatch image_blurry','','','','{"id":"","status":"completed","outcome":"fail","policy":"dingtalk@1","reasons":[{"code":"uscc_mismatch","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}},{"code":"image_blurry","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'fail','uscc_mismatch image_blurry','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000003','default','completed','','','','','01900000-0000-7000-8000-000000000003','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000003',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303033',0,3,1903852860000123,'',1903852920000123,1903854600000123,0,1903856400000123,0,'review','uscc_unreadable','','','','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"uscc_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'review','uscc_unreadable','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000004','default','completed','org-1','ref ''1''','','','01900000-0000-7000-8000-000000000004','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000004',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303034',0,3,1903852860000123,'',1903852980000123,1903854600000123,0,1903856400000123,1903856400000123,'pass','','','','','{"id":"","status":"completed","outcome":"pass","policy":"dingtalk@1","reasons":null,"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'pass','','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000005','default','completed','','','','','01900000-0000-7000-8000-000000000005','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000005',NULL,0,3,1903852860000123,'',1903853040000123,1903854600000123,0,1903856400000123,0,'review','image_glare','91310115PDY899512H','','',NULL,1903852800000123,0,0,0,1903852800000123,1903852800000123,1903852800000123,3,'review','image_glare','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000006','default','completed','','','','','01900000-0000-7000-8000-000000000006','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000006',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303036',0,3,1903852860000123,'',1903853100000123,1903854600000123,0,1903856400000123,1903852800000123,'fail','document_expired','91110108MA01ABCD5X','','','{"id":"","status":"completed","outcome":"review","policy":"dingtalk@1","reasons":[{"code":"name_unreadable","category":"","severity":"","next_step":"","message":{"zh":"照片模糊","en":"blurry"},"suggestion":{"zh":"","en":""},"evidence":{}}],"checks":null,"fields":{"uscc":{"value":"91310115PDY899512H","raw":"","confidence":0,"source":"","polygon":null,"em_px":0}},"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,3,'review','name_unreadable','','','');
INSERT INTO verifications VALUES ('01900000-0000-7000-8000-000000000007','default','completed','org-3','','','','01900000-0000-7000-8000-000000000007','','dingtalk@1','standard','pictures/01900000-0000-7000-8000-000000000007',X'7365616C65642030313930303030302D303030302D373030302D383030302D303030303030303030303037',0,3,1903852860000123,'',1903853160000123,1903854600000123,0,1903856400000123,1903856400000123,'pass','','','','','{"id":"","status":"completed","outcome":"pass","policy":"dingtalk@1","reasons":null,"checks":null,"fields":null,"document":{"kind":"","rotation_degrees":0},"quality":{"width_px":0,"height_px":0,"chroma":0},"qr":null,"picture":{"bytes":0},"timings_ms":null,"versions":null}',0,0,0,0,0,0,0,2,'pass','','','','');
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
INSERT INTO idempotency_keys VALUES ('default','key-7',X'0006','01900000-0000-7000-8000-000000000007',1903853160000123);
INSERT INTO tenants VALUES ('default',8,8,X'1FBE1A717672F29FE43A817871E96DA47A0985E1167AEE6C5F816A7526CEA551');
INSERT INTO events VALUES ('01a202ae-5d18-798b-bf54-b0f64eea847f','default',1,'verification.completed','01900000-0000-7000-8000-000000000002','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d68-7204-9fd8-45d8a9836322','default',2,'verification.completed','01900000-0000-7000-8000-000000000003','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d7a-7496-a6ae-06494b3c7a79','default',3,'verification.completed','01900000-0000-7000-8000-000000000004','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d8c-7328-9188-0b6bea2cc7c7','default',4,'verification.completed','01900000-0000-7000-8000-000000000005','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d90-7cf4-ad75-c9d7d9654f28','default',5,'verification.completed','01900000-0000-7000-8000-000000000006','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d9b-7017-9a2a-3483f5000d57','default',6,'verification.completed','01900000-0000-7000-8000-000000000007','',1903856400000123,X'7B7D','');
INSERT INTO events VALUES ('01a202ae-5d9b-741d-919a-2de08850667e','default',7,'certification.granted','org-3','01a202ae-5d9b-7132-adab-014fcd76e7cd',1903856400000123,X'7B7D','');
INSERT INTO audit VALUES ('default',1,1903856400000123,'system','certification.granted','org-3','{"certification":"01a202ae-5d9b-7132-adab-014fcd76e7cd","verification":"01900000-0000-7000-8000-000000000007"}','',NULL,X'4A6224E51AC976A603B1ED74F1C0E34D553C792C16CB99F7D66C7EF1F12B15FE');
INSERT INTO audit VALUES ('default',2,1903852800000123,'key:1','picture.read','01900000-0000-7000-8000-000000000005','{"fields": ["id_number"]}','申诉复核',X'4A6224E51AC976A603B1ED74F1C0E34D553C792C16CB99F7D66C7EF1F12B15FE',X'DF44F21139F43D8FDEDFFA4E9F4DCDFFB8642B5C9A78355A0BE051B548625066');
INSERT INTO audit VALUES ('default',3,1903852800000123,'user:ann','case.decided','01900000-0000-7000-8000-000000000006','{"corrected":["uscc"],"decision":"01a202ae-5db1-7629-9d72-bd3671249675","kind":"reject","reasons":["document_expired"],"round":1}','',X'DF44F21139F43D8FDEDFFA4E9F4DCDFFB8642B5C9A78355A0BE051B548625066',X'35C7AD41D50AF236C41221C8EB0B55B8CE8361E12E505D93542359B22C879F7A');
INSERT INTO audit VALUES ('default',4,1903852800000123,'system','case.final','01900000-0000-7000-8000-000000000006','{"decision":"01a202ae-5db1-7629-9d72-bd3671249675","outcome":"fail"}','',X'35C7AD41D50AF236C41221C8EB0B55B8CE8361E12E505D93542359B22C879F7A',X'F5D775B99B3CBFD774BC6A7E5C6E87A459D7543C23A412F57E3605D920E84BC8');
INSERT INTO audit VALUES ('default',5,1903852800000123,'user:ann','case.noted','01900000-0000-7000-8000-000000000006','{"note":"01900000-0000-7000-8000-000000000006"}','',X'F5D775B99B3CBFD774BC6A7E5C6E87A459D7543C23A412F57E3605D920E84BC8',X'59E1504F9847BAA73F2DC22B2F3067577D5E6C1A58BD048B2A9181726A2766AC');
INSERT INTO audit VALUES ('default',6,1903852800000123,'user:admin','user.added','01a202ae-5dd0-7695-ae28-2f1128c58e6c','{}','',X'59E1504F9847BAA73F2DC22B2F3067577D5E6C1A58BD048B2A9181726A2766AC',X'494645B4F9648714B8C914EB527EC5BA9DF4DC544A784E32ABE3901E8918E586');
INSERT INTO audit VALUES ('default',7,1903856400000123,'key:1','batch.created','01900000-0000-7000-8000-000000000008','{}','',X'494645B4F9648714B8C914EB527EC5BA9DF4DC544A784E32ABE3901E8918E586',X'FF74DCC261BF2211AAB57E8F9C9C6C970B14483B1014CD3CA03702AD5EBD8ED7');
INSERT INTO audit VALUES ('default',8,1903856400000123,'key:1','batch.running','01900000-0000-7000-8000-000000000008','{}','',X'FF74DCC261BF2211AAB57E8F9C9C6C970B14483B1014CD3CA03702AD5EBD8ED7',X'1FBE1A717672F29FE43A817871E96DA47A0985E1167AEE6C5F816A7526CEA551');
INSERT INTO cases VALUES ('01900000-0000-7000-8000-000000000003','default','','dingtalk@1','standard','uscc_unreadable',1903852920000123,1903856400000123,1903854600000123,'open','','',0,0,'',0);
INSERT INTO case_reasons VALUES ('default','uscc_unreadable',1903854600000123,'01900000-0000-7000-8000-000000000003');
INSERT INTO decisions VALUES ('01a202ae-5db1-7629-9d72-bd3671249675','01900000-0000-7000-8000-000000000006','default','ann',1,'reject','fail','document_expired','执照已过期','','{"uscc":"91110108MA01ABCD5X"}','name_unreadable',1903854600000123,0,1903852800000123,1903852800000123,1903852800000123,0,1903852800000123);
INSERT INTO notes VALUES ('01900000-0000-7000-8000-000000000006','01900000-0000-7000-8000-000000000006','default','ann',1903852800000123,'不清晰');
INSERT INTO users VALUES ('01a202ae-5dd0-7695-ae28-2f1128c58e6c','default','ann','小王','lead','','','',1903852800000123,0,0,0,0);
INSERT INTO organizations VALUES ('default','org-2','pending','unverified','',X'','','',0,'01900000-0000-7000-8000-000000000001','dingtalk@1',0,0,0,0,1903852800000123,1903852800000123,1);
INSERT INTO organizations VALUES ('default','org-1','unverified','unverified','',X'','','',0,'01900000-0000-7000-8000-000000000004','dingtalk@1',0,0,0,0,1903852980000123,1903856400000123,2);
INSERT INTO organizations VALUES ('default','org-3','certified','unverified','',X'E6B2AAE794B2','code-1','01a202ae-5d9b-7132-adab-014fcd76e7cd',1935388800000123,'01900000-0000-7000-8000-000000000007','dingtalk@1',1930204800000123,1930204800000123,0,0,1903853160000123,1903856400000123,3);
INSERT INTO certifications VALUES ('01a202ae-5d9b-7132-adab-014fcd76e7cd','default','org-3','01900000-0000-7000-8000-000000000007','沪甲','code-1','李四','100万元','长期','dingtalk@1','{"uscc_checksum":"passed"}',1903852800000123,1935388800000123,0,'');
INSERT INTO holdings VALUES ('default','same','沪甲','org-3',0);
INSERT INTO holdings VALUES ('default','core','沪','org-3',0);
INSERT INTO holdings VALUES ('default','license','code-1','org-3',0);
INSERT INTO holdings VALUES ('default','contact','ff00','org-3',0);
INSERT INTO holdings VALUES ('default','contact','e6b2aae794b2','org-3',0);
INSERT INTO prints VALUES ('default','a','01900000-0000-7000-8000-000000000007','org-3');
INSERT INTO batches VALUES ('01900000-0000-7000-8000-000000000008','default','年审 2030.csv','dingtalk@1','batch','running',2,1,0,0,0,'key:1',1903852800000123,1903856400000123,0);
INSERT INTO batch_lines VALUES ('01900000-0000-7000-8000-000000000008','=a','a',2,'org-a','','ready',NULL,X'7365616C65642061','a.jpg',0);
INSERT INTO batch_lines VALUES ('01900000-0000-7000-8000-000000000008','#3','',3,'','','bad',X'5B5D',NULL,'',0);
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
CREATE INDEX verifications_open ON verifications (tenant, organization_id)
	WHERE decided_at = 0 AND erased_at = 0 AND organization_id <> '';
CREATE INDEX verifications_batch ON verifications (batch_id, outcome, reasons) WHERE batch_id <> '';
CREATE INDEX verifications_reverification ON verifications (created_at) WHERE purpose = 'reverification';
CREATE INDEX organizations_state ON organizations (tenant, state, id);
CREATE INDEX organizations_valid ON organizations (tenant, valid_until, id) WHERE valid_until > 0;
CREATE INDEX organizations_name ON organizations (tenant, name, id) WHERE length(name) > 0;
CREATE INDEX organizations_patrol ON organizations (patrol_at) WHERE patrol_at > 0;
CREATE INDEX certifications_organization ON certifications (tenant, organization_id, valid_from, id);
CREATE UNIQUE INDEX certifications_present ON certifications (tenant, organization_id) WHERE ended_at = 0;
CREATE INDEX certifications_verification ON certifications (verification_id);
CREATE INDEX holdings_organization ON holdings (tenant, organization_id);
CREATE UNIQUE INDEX holdings_name ON holdings (tenant, key) WHERE kind = 'same';
CREATE UNIQUE INDEX holdings_license ON holdings (tenant, key) WHERE kind = 'license' AND shared = 0;
CREATE INDEX prints_verification ON prints (verification_id);
CREATE INDEX batches_tenant ON batches (tenant, created_at, id);
CREATE INDEX batches_state ON batches (state, created_at, id) WHERE state <> 'done' AND state <> 'cancelled';
CREATE INDEX batch_lines_number ON batch_lines (batch_id, number, line_key);
CREATE INDEX batch_lines_ready ON batch_lines (batch_id, number, line_key, lease_until) WHERE state = 'ready';
