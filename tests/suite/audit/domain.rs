//! A domain administrator's list is read through the domain's own index, however long the log is.

use serde_json::Value;
use shared::protocol::postgres::{Json, column};
use shared::service::audit::{Audit, Filter, PageRequest, Viewer};

use crate::support::ledger::LedgerDatabase;

/// A long log of other users, newer than the actions of the domain and the user.
const FILL: &str = "
    alter table public.audit_logs disable trigger user;
    insert into public.audit_logs (action, user_id, domain, created_at)
    select 'view', 'u' || number, case when number % 3 > 0 then 'other' || number % 3 || '.example' end,
      now() - number * interval '1 second'
    from generate_series(1, 20000) as number;
    insert into public.audit_logs (action, user_id, domain, created_at)
    select 'sign', case when number % 2 = 0 then 'ann' else 'bob' end, 'acme.example', now() - interval '1 year'
    from generate_series(1, 9000) as number;
    analyze public.audit_logs;";

/// Returns the rows of the log that indexes and scans have returned so far. A connection reports its statistics when it
/// closes, so the figure is polled until it is stable.
async fn rows_read(database: &LedgerDatabase) -> i64 {
    let mut last = -1;
    loop {
        let read = rows_said(database).await;
        if read == last {
            return read;
        }
        last = read;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
}

async fn rows_said(database: &LedgerDatabase) -> i64 {
    let sql = "select to_jsonb(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as value \
        from pg_stat_user_tables where relid = 'public.audit_logs'::regclass";
    let rows = database.connect_as_owner().query(sql, &[]).await.unwrap();
    let Json(value) = column::<Json<Value>>(&rows[0], "value").unwrap();
    value.as_i64().unwrap()
}

#[tokio::test]
async fn page_of_a_domain_reads_only_its_own_rows() {
    let database = LedgerDatabase::fresh().await;
    database.connect_as_owner().batch(FILL).await.unwrap();
    for newest_first in [true, false] {
        let before = rows_read(&database).await;
        let mut cursor = None;
        for _ in 0..3 {
            // A new connection, which reports its statistics when it closes.
            let audit = Audit::new(database.connect());
            let viewer = Viewer::Of {
                user: "ann".into(),
                domain: Some("Acme.Example".into()),
            };
            let part = PageRequest {
                newest_first,
                limit: 20,
                cursor: cursor.clone(),
            };
            let page = audit
                .entries(&viewer, &Filter::default(), &part)
                .await
                .unwrap();
            assert_eq!(page.items.len(), 20);
            assert!(
                page.items
                    .iter()
                    .all(|it| it.domain.as_deref() == Some("acme.example"))
            );
            cursor = page.cursor;
        }
        let read = rows_read(&database).await - before;
        assert!(
            (60..=600).contains(&read),
            "{read} rows for three pages of 20"
        );
    }
}
