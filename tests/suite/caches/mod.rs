//! Caches: the result, its visibility, the number of database queries, and that nothing outlives an invalidation.

mod concurrent_readers;
mod former;
mod invalidations;
mod keys;
mod kinds;
mod outages;
mod puts;
mod races;
mod relayed;
mod triggers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use local::cloud::Settings;
use local::postgres::Database;
use serde_json::Value;
use shared::protocol::postgres::Postgres;
use shared::service::cache::{
    AnyKind, Caches, Class, Found, Id, Kind, Source, Viewer, invalidation,
};
use shared::service::outbox::{self, Outbox, Outcome};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, fresh_database};
use crate::support::ledger::LedgerDatabase;
use crate::support::proxy::{Proxy, carries};
use crate::support::store::Store;

/// The sample data's owner, request and first signer.
const OWNER: &str = "01985c00-0000-7000-8000-000000000001";
const REQUEST: &str = "01985c00-0000-7000-8000-000000000100";
const SIGNER: &str = "ada.tenant@example.com";
const DOMAIN: &str = "acme.example";

/// A user that the sample data do not contain.
const STRANGER: &str = "01985c00-0000-7000-8000-0000000000ff";

const SAMPLE: &str = include_str!("../../../local/cloud/seed.sql");

/// Rows that the sample data lack: one for each kind, with the secrets that no cache may hold.
const MORE: &str = "
    insert into public.user_totp_configs (user_id, secret, backup_codes, enabled, login_mfa_enabled)
    values ('01985c00-0000-7000-8000-000000000001', 'TOTPSECRET234567', '{backup-code-1,backup-code-2}', true, true);
    insert into public.notification_preferences (user_id, marketing) values ('01985c00-0000-7000-8000-000000000001', true);
    insert into public.domain_settings (domain, email_from_name, enforce_totp) values ('Acme.Example', 'Acme', true);
    insert into public.domain_administrators (domain, admin_user_id, is_verified, verification_token)
    values ('acme.example', '01985c00-0000-7000-8000-000000000001', true, 'verification-token');
    insert into public.domain_user_roles (domain, user_id, role) values ('ACME.example', '01985c00-0000-7000-8000-000000000001', 'member');
    update public.signing_request_signers set signature_data = 'signature-image', ip_address = '198.51.100.7',
      user_agent = 'signers-browser', access_token = 'access-token', location = '{\"city\": \"signers-city\"}',
      totp_verification_ip = '198.51.100.8', signature_metadata = '{\"k\": \"signature-metadata\"}';
    delete from signtusk.outbox;";

/// Returns an id of each kind in the sample data.
fn known(kind: AnyKind) -> &'static str {
    match kind.name() {
        "user-profiles" | "totp-configs" | "notification-preferences" => OWNER,
        "domain-settings" | "domain-admins" | "domain-users" => DOMAIN,
        _ => REQUEST,
    }
}

/// A store, a database with sample data behind a proxy, and the proxy's count.
struct Fixture {
    store: Store,
    database: LedgerDatabase,
    proxy: Proxy,
    functions_url: String,
    queries: Arc<AtomicU64>,
}

/// Starts a proxy for a database that counts the statements that fill caches.
async fn counting(database: &Database) -> (Proxy, Arc<AtomicU64>) {
    let url = url::Url::parse(&database.functions_url).unwrap();
    let address = format!("127.0.0.1:{}", url.port().unwrap());
    let proxy = Proxy::start(address.parse().unwrap()).await;
    let queries = Arc::new(AtomicU64::new(0));
    proxy.guard({
        let queries = Arc::clone(&queries);
        move |bytes| {
            if carries(bytes, "json_build_object") {
                queries.fetch_add(1, Ordering::SeqCst);
            }
            true
        }
    });
    (proxy, queries)
}

impl Fixture {
    async fn start() -> Self {
        let made = fresh_database().await;
        let (proxy, queries) = counting(&made).await;
        let functions_url = made.functions_url.clone();
        let database = LedgerDatabase::at(made);
        database.execute(SAMPLE).await;
        database.execute(MORE).await;
        Self {
            store: Store::start().await,
            database,
            proxy,
            functions_url,
            queries,
        }
    }

    /// Returns the caches of another instance, with new connections.
    fn caches(&self) -> Caches {
        let led = self.proxy.lead(&self.functions_url);
        Caches::new(self.store.client(), Postgres::at(&led, None).unwrap())
    }

    /// Returns the caches without the proxy.
    fn caches_past_the_proxy(&self) -> Caches {
        let postgres = Postgres::at(&self.functions_url, None).unwrap();
        Caches::new(self.store.client(), postgres)
    }

    /// Applies the triggers' rows, as relay-outbox does.
    async fn relay(&self) {
        let outbox = Outbox::new(self.database.functions.clone());
        loop {
            let claimed = outbox
                .claim(&[outbox::Kind::Invalidation], 100)
                .await
                .unwrap();
            if claimed.rows.is_empty() {
                return;
            }
            let payloads = claimed.rows.iter().map(|row| row.payload.as_str());
            invalidation::apply(&self.store.client(), payloads)
                .await
                .unwrap();
            let done = vec![Outcome::Done; claimed.rows.len()];
            outbox.settle(&claimed, &done).await.unwrap();
        }
    }

    /// Ends the lifetime of an entry: by its class it is no longer fresh, or deleted.
    async fn age<C: Class>(&self, kind: &'static Kind<C>, id: &str) {
        let mut redis = self.store.direct().await;
        let key = key_of(kind, id);
        let fresh_until: String = redis::cmd("HGET")
            .arg(&key)
            .arg("freshUntil")
            .query_async(&mut redis)
            .await
            .unwrap();
        if fresh_until.is_empty() {
            redis::cmd("PEXPIRE")
                .arg(&key)
                .arg(0)
                .exec_async(&mut redis)
                .await
                .unwrap();
        } else {
            redis::cmd("HSET")
                .arg(&key)
                .arg("freshUntil")
                .arg(1)
                .exec_async(&mut redis)
                .await
                .unwrap();
        }
    }

    /// Deletes an entry directly in the store.
    async fn forget<C: Class>(&self, kind: &'static Kind<C>, id: &str) {
        let mut redis = self.store.direct().await;
        redis::cmd("DEL")
            .arg(key_of(kind, id))
            .exec_async(&mut redis)
            .await
            .unwrap();
    }

    /// Empties the store.
    async fn direct_flush(&self) {
        let mut redis = self.store.direct().await;
        redis::cmd("FLUSHDB").exec_async(&mut redis).await.unwrap();
    }

    /// Returns the number of database queries since the last call.
    fn queries(&self) -> u64 {
        self.queries.swap(0, Ordering::SeqCst)
    }
}

fn key_of<C: Class>(kind: &'static Kind<C>, id: &str) -> String {
    kind.key(&Id::of(kind.subject(), id).unwrap())
}

/// Reads an entry as the service.
async fn read<C: Class>(
    caches: &Caches,
    kind: &'static Kind<C>,
    id: &str,
) -> Option<(Value, Source)> {
    match caches.get(kind, id, &Viewer::Everything).await.unwrap() {
        Found::Value { value, source, .. } => Some((serde_json::from_str(&value).unwrap(), source)),
        Found::Absent => None,
    }
}

/// Starts a cloud with the same data.
async fn cloud() -> TestCloud {
    cloud_with(|_| {}).await
}

/// Starts a cloud with the same data and changed settings.
async fn cloud_with(change: impl FnOnce(&mut Settings)) -> TestCloud {
    let cloud = TestCloud::start_with(|settings| {
        settings.seed = true;
        change(settings);
    })
    .await;
    LedgerDatabase::of(&cloud).execute(MORE).await;
    cloud
}

fn path(kind: &str, id: &str) -> String {
    format!("/api/cache/{kind}/{id}")
}

/// Sends a GET as an acting user.
async fn get_as(cloud: &TestCloud, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = cloud.request(Method::GET, path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    answer(request).await
}

/// Returns the value of `X-Cache`.
fn came_from(answer: &Answer) -> &str {
    answer.headers["x-cache"].to_str().unwrap()
}

fn etag(answer: &Answer) -> &str {
    answer.headers["etag"].to_str().unwrap()
}
