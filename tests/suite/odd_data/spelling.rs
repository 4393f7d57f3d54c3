//! One normal form for each identity: a different spelling is the same user, domain or address.

use http::Method;
use proptest::prelude::*;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shared::service::mail::branding::Brandings;
use shared::service::mail::payload::Reference;
use uuid::Uuid;

use super::samples;
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

/// Returns a text with each letter in one case or the other.
fn cased(text: &str, flips: &[bool]) -> String {
    let flips = flips.iter().cycle();
    text.chars()
        .zip(flips)
        .map(|(c, up)| {
            if *up {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

struct Who {
    user: Uuid,
    flips: Vec<bool>,
    role: &'static str,
}

impl Who {
    /// Returns a request as this user, in this spelling.
    fn asks(&self, cloud: &TestCloud, method: Method, path: &str) -> RequestBuilder {
        cloud
            .request(method, path)
            .header("x-user-id", cased(&self.user.to_string(), &self.flips))
            .header("x-user-email", cased("ann@acme.example", &self.flips))
            .header("x-user-domain", cased("acme.example", &self.flips))
            .header("x-user-role", self.role)
    }

    async fn get(&self, cloud: &TestCloud, path: &str) -> Answer {
        answer(self.asks(cloud, Method::GET, path)).await
    }
}

/// Writes the rows of a user, a request and a domain, in various spellings.
async fn populate(database: &LedgerDatabase, user: Uuid, request: Uuid) {
    database
        .execute(&format!(
            "insert into public.user_profiles (id, email, full_name) values ('{user}', 'Ann@Acme.Example', 'Ann');
             insert into public.signing_requests (id, title, initiated_by, status)
             values ('{request}', 'Lease', '{user}', 'in_progress');
             insert into public.signing_request_signers (signing_request_id, signer_email)
             values ('{request}', 'ANN@acme.example');
             insert into public.domain_settings (domain, email_from_name) values ('ACME.Example', 'Acme');
             insert into public.domain_administrators (domain, admin_user_id) values ('Acme.example', '{user}');
             insert into public.user_totp_configs (user_id, enabled) values ('{user}', true);
             select public.signtusk_create_notification('{user}', 'general', 'T', 'M');
             select public.signtusk_append_audit_event(jsonb_build_object('action', 'sign',
               'resourceType', 'signing_request', 'resourceId', upper('{request}'), 'userId', upper('{user}'),
               'domain', 'Acme.EXAMPLE'));"
        ))
        .await;
}

#[expect(
    clippy::too_many_lines,
    reason = "one line for each route and identity"
)]
#[tokio::test]
async fn identity_in_random_case_is_the_same_on_every_route() {
    let cloud = TestCloud::start_with(|settings| {
        let limit = ("RATE_LIMIT_API".to_owned(), "100000/1d".to_owned());
        settings.overrides.extend([limit]);
    })
    .await;
    let database = LedgerDatabase::of(&cloud);
    let (user, request) = (Uuid::new_v4(), Uuid::new_v4());
    populate(&database, user, request).await;
    let session = Uuid::new_v4().to_string();
    let login = json!({ "sessionId": session, "userId": user, "email": "Ann@ACME.example", "refreshToken": "t0" });
    assert_eq!(cloud.post("/api/sessions", &login).await.status, 201);
    let lower = Who {
        user,
        flips: vec![false],
        role: "user",
    };
    let mail = json!({
        "type": "general", "userId": user, "title": "T", "message": "M", "delaySeconds": 3600,
    });
    let enqueue = lower.asks(&cloud, Method::POST, "/api/queue/notifications");
    let job = answer(with_json(enqueue, &mail)).await.body["jobId"]
        .as_str()
        .unwrap()
        .to_owned();

    for flips in samples(&prop::collection::vec(any::<bool>(), 7), 6) {
        let ids = |text: &str| cased(text, &flips);
        let (spelled, asked, of_job) =
            (ids(&user.to_string()), ids(&request.to_string()), ids(&job));
        let domain = ids("acme.example");
        let as_user = Who {
            user,
            flips: flips.clone(),
            role: "user",
        };
        let as_head = Who {
            user,
            flips: flips.clone(),
            role: "domain_admin",
        };
        for (who, path, count) in [
            (&as_user, "/api/notifications".to_owned(), Some(1)),
            (&as_user, "/api/notifications/unread-count".to_owned(), None),
            (&as_user, format!("/api/queue/jobs/{of_job}"), None),
            (
                &as_user,
                "/api/queue/jobs?type=notification".to_owned(),
                Some(1),
            ),
            (
                &as_head,
                "/api/queue/jobs?type=notification".to_owned(),
                Some(1),
            ),
            (&as_user, "/api/audit".to_owned(), Some(1)),
            (&as_head, "/api/audit".to_owned(), Some(1)),
            (&as_user, format!("/api/audit?requestId={asked}"), Some(1)),
            (&as_user, format!("/api/audit?userId={spelled}"), Some(1)),
            (
                &as_user,
                format!("/api/audit/verify?requestId={asked}"),
                None,
            ),
            (&as_user, format!("/api/users/{spelled}/sessions"), Some(1)),
            (&as_user, format!("/api/sessions/{session}"), None),
            (&as_head, format!("/api/sessions/{session}"), None),
            (
                &as_user,
                format!("/api/cache/user-profiles/{spelled}"),
                None,
            ),
            (&as_user, format!("/api/cache/totp-configs/{spelled}"), None),
            (&as_user, format!("/api/cache/documents/{asked}"), None),
            (
                &as_head,
                format!("/api/cache/signing-requests/{asked}"),
                None,
            ),
            (
                &as_head,
                format!("/api/cache/domain-settings/{domain}"),
                None,
            ),
            (&as_head, format!("/api/cache/domain-admins/{domain}"), None),
        ] {
            let found = who.get(&cloud, &path).await;
            assert_eq!(found.status, 200, "{flips:?} {path}: {found:?}");
            if let Some(count) = count {
                let items = found.body["items"].as_array().unwrap().len();
                assert_eq!(items, count, "{flips:?} {path}: {found:?}");
            }
            if path.contains("/verify") {
                assert_eq!(found.body["events"], 1, "{found:?}");
            }
        }
        let signer = Who {
            user: Uuid::new_v4(),
            flips: flips.clone(),
            role: "user",
        };
        let seen = signer
            .get(&cloud, &format!("/api/cache/documents/{asked}"))
            .await;
        assert_eq!(seen.status, 200, "as the signer: {seen:?}");
        let claim = as_user.asks(&cloud, Method::POST, "/api/totp/claims");
        let claimed = answer(with_json(
            claim,
            &json!({ "userId": spelled, "code": "123456" }),
        ))
        .await;
        let first = flips == samples(&prop::collection::vec(any::<bool>(), 7), 1)[0];
        assert_eq!(claimed.status, if first { 201 } else { 409 }, "{claimed:?}");
    }
    let cases = cloud.redis_client();
    let keys: Vec<String> = cases
        .run(shared::protocol::upstash::Command::new("KEYS").arg("*"))
        .await
        .unwrap();
    let written_twice: Vec<&String> = keys
        .iter()
        .filter(|key| key.contains(&user.to_string().to_uppercase()) || key.contains("ACME"))
        .collect();
    assert!(written_twice.is_empty(), "{written_twice:?}");
}

/// Six tokens and as many redemptions stay below their limits.
#[tokio::test]
async fn address_in_random_case_is_the_same_to_suppressions_mail_events_and_tokens() {
    let cloud = TestCloud::start().await;
    let mail = cloud.enqueue(&signature_request("Ann@Acme.Example")).await;
    cloud.wait_for(&mail, "completed").await;
    let suppressed = json!({ "email": "ann@ACME.example", "reason": "manual" });
    let put = cloud.request(Method::PUT, "/api/suppressions");
    assert!(
        answer(with_json(put, &suppressed))
            .await
            .status
            .is_success()
    );

    let mut former: Option<String> = None;
    for flips in samples(&prop::collection::vec(any::<bool>(), 7), 6) {
        let address = cased("ann@acme.example", &flips);
        for path in ["/api/suppressions", "/api/mail-events"] {
            let found = cloud.get(&format!("{path}?email={address}")).await;
            let items = found.body["items"].as_array().map(Vec::len);
            assert_eq!(items, Some(1), "{path} {address}: {found:?}");
        }
        let wanted = json!({ "email": address, "purpose": "password-reset" });
        let issued = cloud.post("/api/tokens", &wanted).await;
        let token = issued.body["token"].as_str().unwrap().to_owned();
        let Some(former) = former.replace(token) else {
            continue;
        };
        let redeemed = json!({ "token": former, "purpose": "password-reset" });
        let redeemed = cloud.post("/api/tokens/redeem", &redeemed).await;
        assert_eq!(
            redeemed.status, 404,
            "{address} has a newer one: {redeemed:?}"
        );
    }
    let redeemed = json!({ "token": former, "purpose": "password-reset" });
    let redeemed = cloud.post("/api/tokens/redeem", &redeemed).await;
    let email = redeemed.body["email"].as_str().unwrap();
    assert!(email.eq_ignore_ascii_case("ann@acme.example"), "{email}");

    let after = cloud.enqueue(&signature_request("ANN@acme.EXAMPLE")).await;
    let job = cloud.wait_for(&after, "completed").await;
    assert_eq!(
        job["result"]["suppressed"].as_array().unwrap().len(),
        1,
        "{job:#}"
    );
}

/// The ledger's key contains it: otherwise another case would send the same mail a second time.
#[test]
fn reference_in_another_case_is_the_same_reference() {
    let id = "01985c00-0000-7000-8000-00000000000a";
    let upper = Reference::try_from(id.to_uppercase()).unwrap();
    assert_eq!(upper.as_str(), id);
    let other = Reference::try_from("Request-A".to_owned()).unwrap();
    assert_eq!(other.as_str(), "Request-A");
}

/// A domain in another spelling has the same retention of evidence.
#[tokio::test]
async fn domain_retention_applies_in_every_spelling_of_the_domain() {
    let database = LedgerDatabase::fresh().await;
    for (setting, address) in [
        ("Acme.Example", "ann@acme.example"),
        ("acme.example", "Ann@ACME.Example"),
        ("ACME.EXAMPLE", " ann@Acme.example"),
    ] {
        let maker = Uuid::new_v4();
        let kept = database
            .read(&format!(
                "with domain as (
                   insert into public.domain_settings (domain, default_retention_days) values ('{setting}', 3650)
                   returning 1
                 ), maker as (
                   insert into public.user_profiles (id, email) values ('{maker}', '{address}') returning 1
                 ) select to_jsonb(count(*)) as value from domain, maker"
            ))
            .await;
        assert_eq!(kept, 1);
        let days = database
            .read(&format!(
                "with request as (
                   select (jsonb_populate_record(null::public.signing_requests, jsonb_build_object(
                     'id', gen_random_uuid(), 'initiated_by', '{maker}', 'created_at', '2026-01-01T00:00:00Z'))).*
                 ) select to_jsonb(extract(day from signtusk.kept_until(request) - timestamptz '2026-01-01T00:00:00Z'))
                   as value from request"
            ))
            .await;
        assert_eq!(days, 3650, "{setting} {address}");
        database.execute("delete from public.domain_settings").await;
    }
}

#[tokio::test]
async fn domain_brand_is_found_in_every_spelling_of_the_domain() {
    let database = LedgerDatabase::fresh().await;
    database
        .execute("insert into public.domain_settings (domain, email_from_name) values ('Acme.Example', 'Acme')")
        .await;
    let brandings = Brandings::new(database.functions.clone());
    for domain in ["acme.example", "ACME.example", " Acme.Example"] {
        assert_eq!(
            brandings.of(domain).await.unwrap().name(),
            "Acme",
            "{domain}"
        );
    }
}

#[tokio::test]
async fn account_of_an_address_is_found_in_every_spelling_of_both() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let user = Uuid::new_v4();
    database
        .execute(&format!(
            "insert into public.user_profiles (id, email) values ('{user}', 'Ann.Signer@Acme.Example')"
        ))
        .await;
    let payload = json!({
        "type": "reminder", "signerEmail": "ANN.signer@acme.example", "title": "T", "message": "M", "requestId": "r-1",
    });
    let taken = cloud.post("/api/queue/notifications", &payload).await;
    let id = taken.body["jobId"].as_str().unwrap().to_owned();
    cloud.wait_for(&id, "completed").await;
    let request = cloud.request(Method::GET, "/api/notifications");
    let inbox = answer(request.header("x-user-id", user.to_string())).await;
    assert_eq!(
        inbox.body["items"].as_array().unwrap().len(),
        1,
        "{inbox:?}"
    );
}

/// Otherwise each spelling would have its own failures, and guessing could continue with new spellings.
#[tokio::test]
async fn attempts_at_one_account_are_counted_together_in_every_spelling() {
    let cloud = TestCloud::start().await;
    let mut failures = Vec::<Value>::new();
    for identifier in [
        "ann@example.com",
        "ANN@example.com",
        "ann\u{200b}@example.com",
        "\u{ff41}nn@example.com",
        "ann@example\u{ad}.com",
    ] {
        let body = json!({
            "kind": "login", "identifier": identifier, "ip": "192.0.2.1", "userAgent": "suite", "success": false,
        });
        let recorded = cloud.post("/api/security/attempts", &body).await;
        assert_eq!(recorded.status, 200, "{recorded:?}");
        failures.push(recorded.body["failures"].clone());
    }
    assert_eq!(failures, [1, 2, 3, 4, 5]);
}
